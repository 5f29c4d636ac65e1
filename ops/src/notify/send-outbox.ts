import type { Store } from '../store.ts'
import type { Channel, Delivery } from './channel.ts'
import type { Message } from './message.ts'
import {
  claimEntry,
  type DueEntry,
  dropOvertaken,
  dueChannels,
  dueEntries,
  enqueue,
  findReference,
  markDead,
  markRetry,
  markSent,
  type OutboxEntry,
  overdueEntries,
  postpone,
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
  /** Where an urgent message goes as well when its channel has failed `failuresUntilDown` times. */
  fallbackOf: (channel: string) => readonly string[]
  say: (message: string) => void
  /** Told of every message that only stays here because its channel is not set up. */
  onUnset: (address: string, missing: string) => void
  signal: AbortSignal
}

const claimMs = 30_000
/** So many failures in a row, whatever was sent, and a destination counts as down. */
const failuresUntilDown = 3
const longestDelayMs = 60_000
const giveUpMs = 72 * 3_600_000
/** So many waiting for one destination are told in one message; what is urgent is never bundled. */
const bundleFrom = 6
const mostAtOnce = 200
/** A slow destination is looked at anew after this, so that what became urgent meanwhile goes first. */
const laneMs = 5_000

/** What this process has seen of each destination. Forgotten when it ends: the next one asks again. */
export type Destinations = Map<string, { acceptedAt: number[]; failures: number; askedAgainAt: number }>

const destinationOf = (destinations: Destinations, address: string) => {
  const known = destinations.get(address) ?? { acceptedAt: [], failures: 0, askedAgainAt: 0 }
  destinations.set(address, known)
  return known
}

/** One round over every destination, side by side. Returns how many messages were settled. */
export async function sendDue(deps: SenderDeps, destinations: Destinations): Promise<number> {
  const channels = dueChannels(deps.store, deps.now())
  const settled = await Promise.all(channels.map((address) => sendLane(deps, destinations, address)))
  return settled.reduce((sum, count) => sum + count, 0)
}

/**
 * Sends what is due for one destination, the most urgent first, one message after another. Returns how many were settled. Killed at any
 * point, nothing is lost: a claimed entry is due again after its claim. A destination that is down is asked with one or two messages at
 * a time, later and later; what is urgent takes the second way meanwhile without having been tried.
 */
export async function sendLane(deps: SenderDeps, destinations: Destinations, address: string): Promise<number> {
  const { store } = deps
  const startedAt = performance.now()
  const [kind, target] = splitAddress(address)
  const channel = deps.channels.find((candidate) => candidate.kind === kind)
  const destination = destinationOf(destinations, address)
  dropOvertaken(store, address, deps.now())
  const isDown = (): boolean => destination.failures >= failuresUntilDown
  // A clock that went back leaves a moment further away than any delay.
  const waitMs = destination.askedAgainAt - deps.now().getTime()
  if (isDown() && waitMs > 0 && waitMs <= longestDelayMs) {
    goAround(deps, address, new Date(destination.askedAgainAt))
    return 0
  }
  const due = dueEntries(store, deps.now(), { channel: address, limit: mostAtOnce })
  let settled = 0
  let failed = 0
  for (const group of groupsOf(due, channel)) {
    if (deps.signal.aborted || performance.now() - startedAt > laneMs) return settled
    const turnInMs = channel ? untilTurn(destination.acceptedAt, mostAMinute(channel, group), deps.now()) : 0
    if (turnInMs > 0) {
      const turn = after(deps.now(), turnInMs)
      store.transaction(() => {
        for (const entry of group) postpone(store, entry, 'waits for its turn', turn)
      })
      continue
    }
    const claimed = store.transaction(() =>
      group.filter((entry) => claimEntry(store, entry, after(deps.now(), claimMs))),
    )
    const [first] = claimed
    if (!first) continue
    destination.acceptedAt.push(deps.now().getTime())
    const message = claimed.length === 1 ? first.message : bundle(claimed.map((entry) => entry.message))
    const delivery = await attempt(deps, channel, { kind, target, address }, { ...first, message })
    // Stopped from within: neither the destination's failure nor ours to judge; the claim runs out.
    if (!delivery.ok && deps.signal.aborted) return settled
    if (delivery.ok || !delivery.retry) destination.failures = 0
    else {
      destination.failures++
      destination.askedAgainAt = deps.now().getTime() + delayOf(deps, destination.failures, delivery.retryAfterMs)
    }
    store.transaction(() => {
      for (const entry of claimed) settle(deps, entry, delivery, { bundled: claimed.length, destination })
    })
    if (delivery.ok) settled += claimed.length
    else if (delivery.retry) {
      failed++
      // A destination that answers may refuse one message and take another; one that is silent need not be asked again.
      if (failed > 1 || delivery.mayHaveArrived === true) break
    }
  }
  if (isDown()) goAround(deps, address, new Date(destination.askedAgainAt))
  return settled
}

/** Urgent ones alone and first; many calm ones in one message where the channel can. */
function groupsOf(due: readonly DueEntry[], channel: Channel | undefined): DueEntry[][] {
  const urgent = due.filter(({ priority }) => priority <= 1)
  const calm = due.filter(({ priority }) => priority > 1)
  const isBundled = channel?.canBundle === true && calm.length >= bundleFrom
  return [...urgent.map((entry) => [entry]), ...(isBundled ? [calm] : calm.map((entry) => [entry]))]
}

/** Entries of a destination that is down wait until it is asked again; urgent ones take the second way now, also those behind others. */
function goAround(deps: SenderDeps, address: string, until: Date): void {
  const overdue = overdueEntries(deps.store, deps.now(), { channel: address, limit: mostAtOnce })
  if (overdue.length === 0) return
  deps.store.transaction(() => {
    for (const entry of overdue) {
      takeSecondWay(deps, entry)
      postpone(deps.store, entry, entry.outcome || 'the destination is down', until)
    }
  })
}

/** The same message to other channels, once; one that has it anyway does not get it twice. */
function takeSecondWay(deps: SenderDeps, entry: OutboxEntry): void {
  if (entry.priority > 1) return
  const channels = deps.fallbackOf(entry.channel).filter((channel) => channel !== entry.channel)
  const key = entry.dedupKey.slice(entry.subject.length + 1, -(entry.channel.length + 1))
  enqueue(deps.store, entry.message, { channels, key, now: deps.now() })
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

function settle(
  deps: SenderDeps,
  entry: OutboxEntry,
  delivery: Delivery,
  around: { bundled: number; destination: { failures: number; askedAgainAt: number } },
): void {
  const now = deps.now()
  const outcome = around.bundled > 1 ? `${delivery.outcome} (${around.bundled} in one message)` : delivery.outcome
  if (delivery.ok) return markSent(deps.store, entry.id, outcome, now)
  // The claim counted this attempt.
  const failures = entry.attempts + 1
  const isFinal = !delivery.retry || now.getTime() - Date.parse(entry.createdAt) > giveUpMs
  if (isFinal || failures >= failuresUntilDown || around.destination.failures >= failuresUntilDown)
    takeSecondWay(deps, entry)
  if (isFinal) {
    deps.say(`${entry.channel} will not take "${entry.message.title}": ${outcome}`)
    return markDead(deps.store, entry.id, outcome)
  }
  const nextAt = Math.max(
    around.destination.askedAgainAt,
    now.getTime() + delayOf(deps, failures, delivery.retryAfterMs),
  )
  markRetry(deps.store, entry.id, {
    outcome,
    nextAt: new Date(nextAt),
    mayHaveArrived: delivery.mayHaveArrived === true,
  })
}

/** Twice as long each time, a minute at most, and at random half as much, so that many do not come back at once. */
function delayOf(deps: SenderDeps, failures: number, retryAfterMs: number | undefined): number {
  const delayMs = retryAfterMs ?? 1_000 * 2 ** (Math.min(failures, 10) - 1)
  return Math.min(longestDelayMs, delayMs) * (0.5 + deps.random() / 2)
}

/** A part of what a destination takes is kept for what cannot wait: critical alerts, and the first word of an environment. */
const keptShare = 0.2
const mostAMinute = ({ perMinute }: Channel, group: readonly DueEntry[]): number =>
  group.some(({ priority, isFirst }) => priority === 0 || isFirst) ? perMinute : Math.ceil(perMinute * (1 - keptShare))

/** Milliseconds until the destination takes another; 0 takes it now. */
function untilTurn(acceptedAt: number[], perMinute: number, now: Date): number {
  const since = now.getTime() - 60_000
  // What lies ahead was seen before the clock went back.
  const recent = acceptedAt.filter((at) => at > since && at <= now.getTime())
  acceptedAt.splice(0, acceptedAt.length, ...recent)
  const oldest = recent.at(-perMinute)
  return oldest === undefined ? 0 : oldest - since + 1
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
