import { findOverdue } from '../escalation/audit-escalation.ts'
import { listEscalations, snoozeIncident } from '../escalation/escalation-store.ts'
import { runEscalation } from '../escalation/run-escalation.ts'
import { announceIncidents } from '../incidents/announce-incidents.ts'
import {
  acknowledgeIncident,
  findIncident,
  listIncidents,
  openIncident,
  reopenIncident,
  resolveIncident,
  setSeverity,
  withdrawAcknowledgement,
} from '../incidents/incident-store.ts'
import type { Channel, Delivery } from '../notify/channel.ts'
import type { Severity } from '../notify/message.ts'
import { type Destinations, sendDue } from '../notify/send-outbox.ts'
import {
  addOverride,
  cancelOverride,
  listOverrides,
  readSchedule,
  recordPast,
  swapPeople,
} from '../oncall/oncall-store.ts'
import { onCall } from '../oncall/schedule.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'

/** A run of simulated time: what happened in it and which promises were broken. */
export type Simulated = {
  hours: number
  incidents: number
  calls: number
  crashes: number
  clockJumps: number
  outages: number
  violations: string[]
}

type Random = () => number
const minuteMs = 60_000
const roundsUntilDown = 4
const severities: Severity[] = ['P0', 'P1', 'P2', 'P3']

type Called = { level: number; role: string; people: string[] }

/** Thrown between transactions, where a process may be killed; everything of the process is forgotten, the store stays. */
class Crash extends Error {}

/** The store of a process that dies before its n-th transaction from now. */
function mortal(store: Store, killBefore: () => boolean): Store {
  let depth = 0
  return {
    ...store,
    transaction: (work) => {
      if (depth === 0 && killBefore()) throw new Crash()
      depth++
      try {
        return store.transaction(work)
      } finally {
        depth--
      }
    },
  }
}

/**
 * Lives through `days` of incidents, people who acknowledge, snooze, swap and leave, crashes between any two transactions, clocks that
 * jump and destinations that fail; checks after every turn what must hold. The same random numbers give the same run.
 */
export async function simulateAlerts(
  store: Store,
  options: { policy: Policy; random: Random; start: Date; days: number },
): Promise<Simulated> {
  const { random } = options
  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T
  let policy = options.policy
  let now = options.start.getTime()
  /** Time that has passed, whatever the clock says. */
  let elapsedMs = 0
  /** The furthest that any clock can have brought a climb: time that has passed and jumps forward. */
  let reachedMs = 0
  const result: Simulated = { hours: 0, incidents: 0, calls: 0, crashes: 0, clockJumps: 0, outages: 0, violations: [] }
  const violated = (what: string): void => {
    if (result.violations.length < 20) result.violations.push(`${new Date(now).toISOString()} ${what}`)
  }
  let destinations: Destinations = new Map()
  const down = new Map<string, Delivery>()
  const taken = new Map<string, number>()
  const channelOf = (kind: string): Channel => ({
    kind,
    perMinute: 600,
    canBundle: false,
    missing: () => null,
    send: ({ key }) => {
      const failure = down.get(kind)
      if (failure) return Promise.resolve(failure)
      taken.set(key, (taken.get(key) ?? 0) + 1)
      return Promise.resolve({ ok: true, outcome: '202' })
    },
  })
  const channels = ['pagerduty', 'slack', 'email'].map(channelOf)
  const people = policy.people.map(({ id }) => id)
  let crashIn = Number.POSITIVE_INFINITY
  const process = mortal(store, () => --crashIn < 0)
  let lastEvent = 0
  /** By incident: when its climb began, what was called in it, and up to which level nobody was there. */
  const climbing = new Map<number, { beganMs: number; called: Set<string>; skippedTo: number }>()
  /** By incident that was taken in and has called nobody yet: since when. */
  const entered = new Map<number, number>()
  /** What the schedule's past said when it was written. */
  const past = new Map<string, string | null>()
  let quiet = new Set<number>()

  const deed = (): void => {
    const at = new Date(now)
    const open = listIncidents(store, { state: 'unresolved', limit: 20 })
    const incident = open.length > 0 ? pick(open) : undefined
    const by = { who: pick(people), now: at }
    switch (below(15)) {
      case 0:
      case 1:
      case 2: {
        const news = {
          environment: 'production',
          severity: pick(severities),
          title: 'Simulated',
          cause: '',
          dedupKey: `sim/${below(4)}`,
          openedBy: 'sim',
          now: at,
        }
        if (!reopenIncident(store, news, 15 * minuteMs) && openIncident(store, news).isNew) result.incidents++
        return
      }
      case 3:
      case 4:
        if (incident) acknowledgeIncident(store, incident.id, by)
        return
      case 5:
      case 6:
      case 7:
      case 8:
        if (incident) resolveIncident(store, incident.id, { ...by, message: 'over' })
        return
      case 9:
        if (incident) setSeverity(store, incident.id, { ...by, severity: pick(severities) })
        return
      case 10:
        if (incident) withdrawAcknowledgement(store, incident.id, by)
        return
      case 11:
        if (incident) snoozeIncident(store, incident.id, { ...by, until: new Date(now + (1 + below(300)) * minuteMs) })
        return
      case 12:
        if (people.length > 1)
          swapPeople(store, {
            one: people[0] ?? '',
            other: people[1] ?? '',
            from: at,
            until: new Date(now + (1 + below(48)) * 60 * minuteMs),
            by: by.who,
            now: at,
          })
        return
      case 13: {
        const kind = pick(['replace', 'remove', 'add', 'temporary'] as const)
        addOverride(store, {
          kind,
          person: kind === 'remove' ? null : pick([...people, 'somebody who left']),
          other: kind === 'add' ? null : pick(people),
          from: at,
          until: new Date(now + (1 + below(72)) * 60 * minuteMs),
          note: '',
          by: by.who,
          now: at,
        })
        return
      }
      default: {
        const overrides = listOverrides(store, at)
        if (overrides.length > 0 && random() < 0.7) cancelOverride(store, pick(overrides).id, at)
        else
          policy = {
            ...policy,
            oncall: {
              ...policy.oncall,
              rotation: [...policy.oncall.rotation.slice(1), ...policy.oncall.rotation.slice(0, 1)],
            },
          }
      }
    }
  }

  const turn = async (): Promise<boolean> => {
    const at = new Date(now)
    const told = { policy, consoleUrl: 'http://ops', now: at }
    try {
      announceIncidents(process, told)
      runEscalation(process, told)
      // As often as the sender looks between two turns, until nothing more goes; one that is silent it asks until it counts as down.
      const send = (): Promise<number> =>
        sendDue(
          {
            store: process,
            channels,
            modeOf: () => 'live',
            fallbackOf: (channel) =>
              channel === 'pagerduty' ? [policy.channels.oncallEmail, policy.channels.oncall] : [],
            now: () => new Date(now),
            random,
            say: () => undefined,
            onUnset: () => undefined,
            signal: new AbortController().signal,
          },
          destinations,
        )
      for (let round = 0; round < 60 && ((await send()) > 0 || round < roundsUntilDown); round++);
      recordPast(process, policy, at)
      return true
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      result.crashes++
      destinations = new Map()
      return false
    }
  }

  /** No call before its time, none twice in a climb, none while it is acknowledged or snoozed. */
  const checkTime = (incidentId: number, { level, role, people: called }: Called): void => {
    const severity = findIncident(store, incidentId)?.severity ?? 'P3'
    const key = `${level}:${role}`
    const known = climbing.get(incidentId)
    if (quiet.has(incidentId)) violated(`incident ${incidentId} called ${key} while it was acknowledged or snoozed`)
    if (known === undefined || role === 'primary') {
      if (role !== 'primary') violated(`incident ${incidentId} called ${key} before anybody else`)
      const skippedTo = called.length === 0 ? level + 1 : 0
      climbing.set(incidentId, { beganMs: entered.get(incidentId) ?? reachedMs, called: new Set([key]), skippedTo })
      entered.delete(incidentId)
      return
    }
    if (known.called.has(key)) violated(`incident ${incidentId} called ${key} twice in one climb`)
    known.called.add(key)
    const step = policy.escalation.levels.find((one) => one.level === level)
    const isAtOnce = level <= known.skippedTo || step?.atOnceFor.includes(severity) === true
    const { acknowledgeWithin } = policy.severities[severity]
    const waitMs = role === 'secondary' ? policy.escalation.secondaryAfter : (step?.after ?? 0)
    const earliestMs = isAtOnce ? 0 : Math.min(waitMs, acknowledgeWithin / 2)
    if (reachedMs - known.beganMs < earliestMs)
      violated(`incident ${incidentId} called ${key} ${reachedMs - known.beganMs} ms after its climb began`)
  }

  /** Who was on call is written once and never again otherwise; no stretch has two answers. */
  const checkPast = (isWhole: boolean): void => {
    const pieces = store.rows<{ from: string; until: string; primary: string | null }>(
      `select starts_at as "from", ends_at as until, primary_person as "primary" from oncall_past order by starts_at desc limit ?`,
      isWhole ? -1 : 4,
    )
    for (const [index, piece] of pieces.entries()) {
      const later = pieces[index - 1]
      if (later && piece.until > later.from) violated(`the schedule's past has two answers at ${later.from}`)
      if (past.has(piece.from) && past.get(piece.from) !== piece.primary)
        violated(`the schedule's past at ${piece.from} was ${past.get(piece.from)} and is ${piece.primary}`)
      past.set(piece.from, piece.primary)
    }
    if (isWhole && pieces.length < past.size) violated(`${past.size - pieces.length} stretches of the past are gone`)
  }

  /** Acknowledged or snoozed until later than the moment. */
  const quietAt = (moment: number): Set<number> =>
    new Set(
      listEscalations(store)
        .filter(({ incidentId, acknowledgedUntil, snoozedUntil }) => {
          const isAcknowledged = findIncident(store, incidentId)?.state === 'acknowledged'
          const until = [isAcknowledged ? acknowledgedUntil : null, snoozedUntil]
          return until.some((instant) => instant !== null && Date.parse(instant) > moment)
        })
        .map(({ incidentId }) => incidentId),
    )

  /** What must hold of the calls of a turn, also of one that was killed. */
  const checkCalls = (): void => {
    const at = new Date(now)
    const who = onCall(readSchedule(store, policy, at), at)
    const events = store.rows<{ id: number; incidentId: number; at: string; detail: string }>(
      `select id, incident_id as incidentId, at, detail from incident_event where id > ? and kind = 'called' order by id`,
      lastEvent,
    )
    for (const event of events) {
      result.calls++
      const call = JSON.parse(event.detail) as Called
      const { role, people: called } = call
      checkTime(event.incidentId, call)
      if (event.at !== at.toISOString()) continue
      const entitled = [who.primary, who.secondary, ...who.also]
      if (role !== 'level' && called.some((id) => !entitled.includes(id)))
        violated(`incident ${event.incidentId} called ${called.join()} and on call were ${entitled.join()}`)
      if (called.some((id) => !policy.people.some((person) => person.id === id)))
        violated(`incident ${event.incidentId} called somebody whom the policy does not know`)
    }
    lastEvent = events.at(-1)?.id ?? lastEvent
  }

  /** What must hold after a turn that nothing killed. */
  const check = (): void => {
    const at = new Date(now)
    checkPast(false)
    const climbs = new Map(listEscalations(store).map((escalation) => [escalation.incidentId, escalation]))
    for (const incident of listIncidents(store, { state: 'unresolved', limit: 50 })) {
      const climb = climbs.get(incident.id)
      if (!climb) {
        violated(`incident ${incident.id} has no climb`)
        continue
      }
      if (climb.nextAt <= at.toISOString()) violated(`the climb of incident ${incident.id} is overdue`)
      const { acknowledgementLasts, acknowledgeWithin } = policy.severities[incident.severity]
      // One that is for working hours may begin so much later.
      const untilMorning = policy.escalation.workingHoursOnly.includes(incident.severity) ? acknowledgeWithin / 2 : 0
      const longest =
        incident.state === 'acknowledged'
          ? acknowledgementLasts
          : acknowledgeWithin + Math.max(...policy.escalation.levels.map(({ after }) => after)) + untilMorning
      const snoozedMs = climb.snoozedUntil === null ? 0 : Math.max(0, Date.parse(climb.snoozedUntil) - now)
      if (Date.parse(climb.nextAt) - now > Math.max(longest, snoozedMs) + minuteMs)
        violated(`incident ${incident.id} (${incident.state}, ${incident.severity}) sleeps until ${climb.nextAt}`)
      if ((incident.state === 'acknowledged') !== (climb.acknowledgedUntil !== null))
        violated(`incident ${incident.id} is ${incident.state}, its climb thinks otherwise`)
    }
    const late = findOverdue(store, at).filter(({ what }) => !what.startsWith('no destination took'))
    for (const { what, since } of late) violated(`the auditor: ${what} since ${since}`)
  }

  while (elapsedMs < options.days * 24 * 60 * minuteMs) {
    const isBusy = listIncidents(store, { state: 'unresolved', limit: 1 }).length > 0
    // Calm hours are passed in long steps, what happens in an incident in short ones.
    const stepMs = isBusy
      ? pick([1_000, minuteMs, 5 * minuteMs, 17 * minuteMs, 55 * minuteMs])
      : pick([minuteMs, 240 * minuteMs, 1_440 * minuteMs])
    const before = now
    now += stepMs
    elapsedMs += stepMs
    reachedMs += stepMs
    if (random() < 0.3) deed()
    if (random() < 0.02) {
      const jumpMs = pick([-3_600_000, 3_600_000, 48 * 3_600_000])
      now += jumpMs
      reachedMs += Math.max(0, jumpMs)
      result.clockJumps++
    }
    // What the clock takes back is taken from the quiet, too.
    quiet = now >= before ? quietAt(now) : new Set()
    if (random() < 0.03) {
      result.outages++
      const kind = pick(['pagerduty', 'slack', 'email'])
      down.set(kind, { ok: false, retry: true, outcome: 'down', mayHaveArrived: random() < 0.5 })
    }
    if (random() < 0.1) down.clear()
    crashIn = random() < 0.1 ? below(12) : Number.POSITIVE_INFINITY
    const isWhole = await turn()
    checkCalls()
    if (isWhole) check()
    const waiting = listEscalations(store).filter(({ called }) => called.length === 0)
    for (const { incidentId } of waiting) if (!entered.has(incidentId)) entered.set(incidentId, reachedMs)
  }
  // All destinations are back and the process lives: everything that is owed goes out.
  down.clear()
  crashIn = Number.POSITIVE_INFINITY
  for (let round = 0; round < 60; round++) {
    now += 30_000
    await turn()
  }
  checkPast(true)
  const stuck =
    store.row<{ n: number }>(`select count(*) as n from outbox where state in ('waiting', 'sending')`)?.n ?? 0
  if (stuck > 0) violated(`${stuck} messages are still in the outbox`)
  const lost = store.rows<{ id: number; dedupKey: string }>(
    `select id, dedup_key as dedupKey from outbox where state = 'sent'`,
  )
  for (const { dedupKey } of lost) if (!taken.has(dedupKey)) violated(`${dedupKey} counts as sent and never arrived`)
  for (const incident of listIncidents(store, { state: 'unresolved', limit: 50 })) {
    if (findIncident(store, incident.id)?.severity !== 'P0') continue
    const paged = store.row<{ one: number }>(
      `select 1 as one from outbox where subject = ? and state = 'sent' limit 1`,
      `incident:${incident.id}`,
    )
    if (!paged) violated(`incident ${incident.id} was told to nobody`)
  }
  result.hours = elapsedMs / 3_600_000
  return result
}
