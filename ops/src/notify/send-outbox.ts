import type { Store } from '../store.ts'
import type { Channel, Delivery } from './channel.ts'
import type { Message } from './message.ts'
import {
  claimEntry,
  dueEntries,
  enqueue,
  findReference,
  markDead,
  markRetry,
  markSent,
  type OutboxEntry,
  saveReference,
} from './outbox-store.ts'

/** `record` keeps messages here and says so; `dry-run` also checks that the channel could have sent. */
export type Mode = 'live' | 'record' | 'dry-run'

export type SenderDeps = {
  store: Store
  channels: readonly Channel[]
  modeOf: (kind: string) => Mode
  now: () => Date
  /** 0 to 1, for the jitter of retries. */
  random: () => number
  /** Where an urgent message goes as well when its channel has failed `failuresBeforeFallback` times. */
  fallbackOf: (channel: string) => readonly string[]
  say: (message: string) => void
  /** Told of every message that only stays here because its channel is not set up. */
  onUnset: (address: string, missing: string) => void
  signal: AbortSignal
}

const claimMs = 30_000
const failuresBeforeFallback = 3
const longestDelayMs = 60_000
const giveUpMs = 72 * 3_600_000
/** So many waiting for one destination are told in one message; what is urgent is never bundled. */
const bundleFrom = 6
const mostAtOnce = 200

/** Remembers what each destination took in the last minute. */
export type Throttle = Map<string, number[]>

/**
 * One round: sends what is due, the most urgent first, destinations side by side, messages to one destination one after another.
 * Returns how many were settled. Killed at any point, nothing is lost: a claimed entry is due again after its claim.
 */
export async function sendDue(deps: SenderDeps, throttle: Throttle): Promise<number> {
  const due = dueEntries(deps.store, deps.now(), mostAtOnce)
  const lanes = Map.groupBy(due, (entry) => entry.channel)
  const settled = await Promise.all([...lanes].map(([address, entries]) => sendLane(deps, throttle, address, entries)))
  return settled.reduce((sum, count) => sum + count, 0)
}

async function sendLane(
  deps: SenderDeps,
  throttle: Throttle,
  address: string,
  entries: readonly OutboxEntry[],
): Promise<number> {
  const [kind, target] = splitAddress(address)
  const channel = deps.channels.find((candidate) => candidate.kind === kind)
  let settled = 0
  const urgent = entries.filter(({ priority }) => priority <= 1)
  const calm = entries.filter(({ priority }) => priority > 1)
  const isBundled = channel?.canBundle === true && calm.length >= bundleFrom
  const groups = [...urgent.map((entry) => [entry]), ...(isBundled ? [calm] : calm.map((entry) => [entry]))]
  for (const group of groups) {
    if (deps.signal.aborted) return settled
    const claimed = group.filter((entry) => claimEntry(deps.store, entry, after(deps.now(), claimMs)))
    const [first] = claimed
    if (!first) continue
    const waitMs = channel ? throttled(throttle, address, channel.perMinute, deps.now()) : 0
    if (waitMs > 0) {
      for (const entry of claimed) markRetry(deps.store, entry.id, 'waits for its turn', after(deps.now(), waitMs))
      continue
    }
    const message = claimed.length === 1 ? first.message : bundle(claimed.map((entry) => entry.message))
    const delivery = await attempt(deps, channel, { kind, target, address }, { ...first, message })
    deps.store.transaction(() => {
      for (const entry of claimed) settle(deps, entry, delivery, claimed.length)
    })
    if (delivery.ok) settled += claimed.length
    // A destination that is down need not be asked for each message of this round.
    else if (delivery.retry) break
  }
  return settled
}

const splitAddress = (address: string): [string, string] => {
  const colon = address.indexOf(':')
  return colon < 0 ? [address, ''] : [address.slice(0, colon), address.slice(colon + 1)]
}

async function attempt(
  deps: SenderDeps,
  channel: Channel | undefined,
  where: { kind: string; target: string; address: string },
  entry: OutboxEntry,
): Promise<Delivery> {
  const mode = deps.modeOf(where.kind)
  if (where.kind === 'record' || mode === 'record') return { ok: true, outcome: 'recorded here' }
  const missing = channel ? channel.missing(where.target) : `there is no channel "${where.kind}"`
  if (!channel || missing !== null) {
    const reason = missing ?? 'the channel is not there'
    deps.onUnset(where.address, reason)
    return { ok: true, outcome: `recorded here only: ${reason}` }
  }
  if (mode === 'dry-run') return { ok: true, outcome: 'dry run: would have been sent' }
  try {
    const delivery = await channel.send({
      message: entry.message,
      key: entry.dedupKey,
      target: where.target,
      reference: findReference(deps.store, where.address, entry.subject),
      now: deps.now(),
      signal: deps.signal,
    })
    if (delivery.ok && delivery.reference !== undefined)
      saveReference(deps.store, where.address, entry.subject, delivery.reference)
    return delivery
  } catch (error) {
    return { ok: false, retry: true, outcome: error instanceof Error ? error.message : String(error) }
  }
}

function settle(deps: SenderDeps, entry: OutboxEntry, delivery: Delivery, bundled: number): void {
  const now = deps.now()
  const outcome = bundled > 1 ? `${delivery.outcome} (${bundled} in one message)` : delivery.outcome
  if (delivery.ok) return markSent(deps.store, entry.id, outcome, now)
  // The claim counted this attempt.
  const failures = entry.attempts + 1
  const isTooOld = now.getTime() - Date.parse(entry.createdAt) > giveUpMs
  const isFinal = !delivery.retry || isTooOld
  if (entry.priority <= 1 && (isFinal || failures === failuresBeforeFallback)) {
    const channels = deps.fallbackOf(entry.channel).filter((channel) => channel !== entry.channel)
    enqueue(deps.store, entry.message, { channels, key: `fallback ${entry.dedupKey}`, now })
  }
  if (isFinal) {
    deps.say(`${entry.channel} will not take "${entry.message.title}": ${outcome}`)
    return markDead(deps.store, entry.id, outcome)
  }
  const delayMs = delivery.retryAfterMs ?? Math.min(longestDelayMs, 1_000 * 2 ** (failures - 1))
  const jitteredMs = Math.min(longestDelayMs, delayMs) * (0.5 + deps.random() / 2)
  markRetry(deps.store, entry.id, outcome, after(now, jitteredMs))
}

/** Milliseconds until the destination takes another; 0 takes it now. */
function throttled(throttle: Throttle, address: string, perMinute: number, now: Date): number {
  const since = now.getTime() - 60_000
  const recent = (throttle.get(address) ?? []).filter((at) => at > since)
  throttle.set(address, recent)
  const oldest = recent[0]
  if (recent.length >= perMinute && oldest !== undefined) return oldest - since + 1
  recent.push(now.getTime())
  return 0
}

function bundle(messages: readonly Message[]): Message {
  const [first] = messages
  if (!first) throw new Error('nothing to bundle')
  const shown = messages.slice(0, 20)
  const more = messages.length - shown.length
  return {
    ...first,
    event: 'bundle',
    subject: `bundle:${first.subject}`,
    title: `${messages.length} messages`,
    text: [...shown.map(({ title }) => `• ${title}`), ...(more > 0 ? [`• and ${more} more`] : [])].join('\n'),
    facts: [],
    links: first.links,
    isResolution: false,
  }
}

const after = (now: Date, ms: number): Date => new Date(now.getTime() + ms)
