import { openIncident, resolveIncident, findOpenIncident } from '../incidents/incident-store.ts'
import type { Policy } from '../policy/policy.ts'
import type { Job } from '../scheduler/scheduler.ts'
import { nextAt } from '../scheduler/backup-jobs.ts'
import type { Store } from '../store.ts'
import type { Channel } from './channel.ts'
import type { Message } from './message.ts'
import { type ChannelAddress, enqueue, listOutbox, markDead, markSent } from './outbox-store.ts'
import type { Mode } from './send-outbox.ts'

export type TestedChannel = {
  address: ChannelAddress
  /** `not set up` says which setting is missing; `recorded` and `dry run` are modes in which nothing leaves this machine. */
  result: 'delivered' | 'failed' | 'not set up' | 'recorded' | 'dry run'
  /** The answer of the destination, or what is missing. */
  detail: string
}

const me = 'dam: ops'

/** Every destination the policy names, once. */
export const channelsOf = (policy: Policy): ChannelAddress[] =>
  [
    ...new Set([
      ...Object.values(policy.severities).flatMap(({ channels }) => channels),
      ...Object.values(policy.channels).flat(),
    ]),
  ].toSorted()

export const splitChannel = (address: ChannelAddress): { kind: string; target: string } => {
  const colon = address.indexOf(':')
  return colon < 0 ? { kind: address, target: '' } : { kind: address.slice(0, colon), target: address.slice(colon + 1) }
}

/**
 * Sends a test message now and keeps what the destination answered in the outbox. To PagerDuty it is the end of an alert that never began,
 * which proves key and way and wakes nobody. A failure opens a P2 incident, which the next success resolves.
 */
export async function testChannel(
  address: ChannelAddress,
  deps: {
    store: Store
    channels: readonly Channel[]
    modeOf: (kind: string) => Mode
    now: () => Date
    signal: AbortSignal
  },
): Promise<TestedChannel> {
  const { store } = deps
  const { kind, target } = splitChannel(address)
  const channel = deps.channels.find((candidate) => candidate.kind === kind)
  const mode = deps.modeOf(kind)
  if (kind === 'record' || mode === 'record')
    return { address, result: 'recorded', detail: 'nothing leaves this machine' }
  const missing = channel ? channel.missing(target) : `there is no channel "${kind}"`
  if (!channel || missing !== null) return { address, result: 'not set up', detail: missing ?? '' }
  if (mode === 'dry-run') return { address, result: 'dry run', detail: 'would have been sent' }
  const now = deps.now()
  const subject = `channel-test:${address}`
  const message: Message = {
    event: 'channel-test',
    subject,
    severity: null,
    title: `Test of ${address}: messages of DAM operations arrive`,
    text: 'Sent once a day, and by ./dam channels test. Nothing is wrong.',
    facts: [],
    links: [],
    environment: 'operations',
    isResolution: true,
    at: now.toISOString(),
  }
  const key = `test-${now.toISOString()}`
  const delivery = await channel
    .send({ message, key: `${subject}/${key}`, target, reference: null, now, signal: deps.signal })
    .catch((error: unknown) => ({
      ok: false as const,
      retry: true,
      outcome: error instanceof Error ? error.message : String(error),
    }))
  store.transaction(() => {
    // Never due: it is settled in the transaction that writes it.
    enqueue(store, message, { channels: [address], key, now })
    const [entry] = listOutbox(store, { subject, limit: 1 })
    if (entry && delivery.ok) markSent(store, entry.id, delivery.outcome, deps.now())
    if (entry && !delivery.ok) markDead(store, entry.id, delivery.outcome)
    const dedupKey = `operations/channel/${address}`
    const open = findOpenIncident(store, dedupKey)
    if (delivery.ok && open)
      resolveIncident(store, open.id, { who: me, message: `${address} took a test message`, now: deps.now() })
    if (!delivery.ok)
      openIncident(store, {
        environment: 'operations',
        severity: 'P2',
        title: `${address} takes no messages`,
        cause: delivery.outcome,
        dedupKey,
        openedBy: me,
        evidence: { channel: address },
        now: deps.now(),
      })
  })
  return { address, result: delivery.ok ? 'delivered' : 'failed', detail: delivery.outcome }
}

/** Tests every channel of the policy once a day, at nine in the morning (UTC), when somebody is there to read it. */
export const channelTestJob = (deps: {
  store: Store
  policy: () => Policy
  channels: readonly Channel[]
  modeOf: (kind: string) => Mode
}): Job => ({
  name: 'test of the channels',
  next: (after) => nextAt('09:00', 86_400_000, after),
  boundMs: 10 * 60_000,
  run: async ({ signal }) => {
    for (const address of channelsOf(deps.policy()))
      await testChannel(address, { ...deps, now: () => new Date(), signal })
  },
})
