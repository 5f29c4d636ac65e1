import type { Channel } from '../notify/channel.ts'
import type { Message } from '../notify/message.ts'

/**
 * Sends a message to each address at once, without store, outbox or engine; for telling that those do not work. Resolves to the
 * addresses that took it; what is not set up or not `live` is told through `say`.
 */
export async function pageDirectly(
  deps: {
    channels: readonly Channel[]
    addresses: readonly string[]
    isLive: (kind: string) => boolean
    say: (message: string) => void
  },
  message: Message,
  key: string,
): Promise<string[]> {
  const attempts = [...new Set(deps.addresses)].map(async (address): Promise<string | null> => {
    const [kind = '', ...rest] = address.split(':')
    const target = rest.join(':')
    const channel = deps.channels.find((candidate) => candidate.kind === kind)
    const missing = channel ? channel.missing(target) : `there is no channel "${kind}"`
    if (!channel || missing !== null || !deps.isLive(kind)) {
      deps.say(`${address}: ${missing ?? 'set to record, not to send'}`)
      return null
    }
    try {
      const delivery = await channel.send({
        message,
        key: `${key}/${address}`,
        target,
        reference: null,
        now: new Date(),
        signal: AbortSignal.timeout(20_000),
      })
      if (!delivery.ok) deps.say(`${address}: ${delivery.outcome}`)
      return delivery.ok ? address : null
    } catch (error) {
      deps.say(`${address}: ${error instanceof Error ? error.message : String(error)}`)
      return null
    }
  })
  return (await Promise.all(attempts)).filter((address) => address !== null)
}
