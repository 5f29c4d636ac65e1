import { parseArgs } from 'node:util'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import { lastOf } from '@dam/ops/src/notify/outbox-store.ts'
import { openChannels } from '@dam/ops/src/notify/start-sender.ts'
import { channelsOf, splitChannel, testChannel } from '@dam/ops/src/notify/test-channels.ts'
import { readEffectiveConfig } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { tableText } from '../table.ts'
import { openWatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam channels [--json]            every destination the policy names: set up or what is missing, last delivery, last failure
       ./dam channels test <channel>...   sends a test message now, such as ./dam channels test slack:#dam-alerts

The ops process tests all of them once a day; one that takes no messages is a P2 incident. To PagerDuty the test wakes nobody.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { host: { type: 'string' }, json: { type: 'boolean', default: false } },
  })
  using place = openWatchPlace(values.host)
  const config = readOpsConfig(readEffectiveConfig().environment)
  await using channels = openChannels(config, config.opsPublicUrl ?? `http://${config.opsHost}:${config.opsPort}`)
  const modeOf = (kind: string) => config.notifyModes?.get(kind) ?? 'live'
  const known = channelsOf(place.policy)
  const [verb, ...named] = positionals
  if (verb === 'test') {
    const unknown = named.find((name) => !known.includes(name))
    if (named.length === 0 || unknown !== undefined)
      throw new CommandFailure(`Name channels of the policy: ${known.join(', ')}.`)
    let failed = 0
    for (const address of named) {
      const deps = { store: place.store, channels, modeOf, now: () => new Date(), signal: AbortSignal.timeout(60_000) }
      const { result, detail } = await testChannel(address, deps)
      if (result !== 'delivered') failed++
      console.log(`${result === 'delivered' ? '✓' : '✗'} ${address}: ${result}, ${detail}`)
    }
    return failed === 0 ? 0 : 1
  }
  if (verb !== undefined) throw new CommandFailure(`There is no ./dam channels ${verb}; there is ./dam channels test.`)
  const rows = known.map((address) => {
    const { kind, target } = splitChannel(address)
    const missing = channels.find((channel) => channel.kind === kind)?.missing(target) ?? null
    const [sent, dead] = [lastOf(place.store, address, 'sent'), lastOf(place.store, address, 'dead')]
    return {
      channel: address,
      state: missing === null ? (modeOf(kind) === 'live' ? 'set up' : modeOf(kind)) : missing,
      lastDelivery: sent ? { at: sent.sentAt, proof: sent.outcome } : null,
      lastFailure: dead ? { at: dead.createdAt, outcome: dead.outcome } : null,
    }
  })
  if (values.json) console.log(JSON.stringify(rows, null, 2))
  else
    console.log(
      tableText(
        ['channel', 'state', 'last delivery', 'last failure'],
        rows.map((row) => [
          row.channel,
          row.state,
          row.lastDelivery ? `${row.lastDelivery.at} ${row.lastDelivery.proof}` : 'none',
          row.lastFailure ? `${row.lastFailure.at} ${row.lastFailure.outcome}` : 'none',
        ]),
      ),
    )
  return 0
}
