import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@dam/platform/log'
import { evaluateAlerts, type Look, longestWindow } from '../alerts/evaluate-alerts.ts'
import type { Environment } from '../environments/environment.ts'
import { writeHeartbeat } from '../dead-man/heartbeat-file.ts'
import { findOverdue } from '../escalation/audit-escalation.ts'
import { runEscalation } from '../escalation/run-escalation.ts'
import { announceIncidents } from '../incidents/announce-incidents.ts'
import type { Incident } from '../incidents/incident.ts'
import { openIncident } from '../incidents/incident-store.ts'
import { announceHandoff } from '../oncall/announce-handoff.ts'
import { readSchedule } from '../oncall/oncall-store.ts'
import { coverageGaps } from '../oncall/schedule.ts'
import type { AlertRule, Policy } from '../policy/policy.ts'
import { addSample, foldSamples, stepMs } from '../signals/sample-store.ts'
import { emptySample, type Sample } from '../signals/sample.ts'
import { openTimeline, type Timeline } from '../signals/timeline.ts'
import type { Store } from '../store.ts'

export type EngineDeps = {
  store: Store
  policy: () => Policy
  environments: () => readonly Environment[]
  collectorOf: (environment: Environment) => (now: Date) => Promise<Sample>
  /** False before anything was ever deployed there: nothing is expected to answer yet. */
  isExpected: (environment: Environment) => boolean
  /** True while a maintenance window mutes a rule. */
  isMuted: (environment: string, rule: AlertRule, now: Date) => boolean
  /** Rows, notices and banners of maintenance windows; once a second. */
  maintain: (now: Date) => void
  /** Told of every alert that opened an incident, to diagnose it. */
  onOpened: (opened: Look['opened'][number] & { environment: Environment }) => void
  /** True while the announcement of an incident waits for its diagnosis. */
  isHeld?: (incident: Incident, now: Date) => boolean
  consoleUrl: string
  /** Folder for the heartbeat file. */
  folder: string
  /** Called after each clean audit. */
  onHeartbeat?: (now: Date) => void
  log: Pick<Log, 'info' | 'warn' | 'error'>
  now?: () => Date
}

const turnMs = 1_000
const collectBoundMs = 20_000
const auditEveryMs = 15_000
const upkeepEveryMs = 5 * 60_000
const handoffEveryMs = 60_000
const coverageEveryMs = 24 * 3_600_000

/**
 * Watches, alerts and escalates until disposed. A turn a second announces and escalates; every ten seconds it looks at each environment.
 * All state is in the store: killed at any moment, the next engine goes on where this one was. The heartbeat is written only after the
 * auditor found nothing late.
 */
export function startEngine(deps: EngineDeps): AsyncDisposable {
  const clock = deps.now ?? (() => new Date())
  const stop = new AbortController()
  const watched = new Map<string, { collect: (now: Date) => Promise<Sample>; timeline: Timeline }>()
  const looking = new Map<string, Promise<void>>()
  const doneAt = { look: 0, audit: 0, upkeep: 0, handoff: 0, coverage: 0 }
  const isDue = (what: keyof typeof doneAt, everyMs: number, now: Date): boolean => {
    const sinceMs = now.getTime() - doneAt[what]
    // Below zero the clock went back.
    if (sinceMs >= 0 && sinceMs < everyMs) return false
    doneAt[what] = now.getTime()
    return true
  }
  const attempt = async (what: string, work: () => void | Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      deps.log.error(`${what} failed; tried again at the next turn`, { error, code: 'engine' })
    }
  }

  const look = async (environment: Environment, now: Date): Promise<void> => {
    const { store } = deps
    const known = watched.get(environment.name) ?? {
      collect: deps.collectorOf(environment),
      timeline: openTimeline(store, environment.name, longestWindow(deps.policy())),
    }
    watched.set(environment.name, known)
    addSample(store, environment.name, now, await collectWithin(known.collect, now))
    const { opened } = evaluateAlerts(store, {
      policy: deps.policy(),
      environment: environment.name,
      timeline: known.timeline,
      // The sample just taken belongs to the window.
      now: new Date(now.getTime() + 1),
      isMuted: (rule) => deps.isMuted(environment.name, rule, now),
    })
    for (const one of opened) deps.onOpened({ ...one, environment })
  }

  /** Apart from the turns: an environment that does not answer, which is when people are to be called, holds up nobody's call. */
  const startLook = (environment: Environment, now: Date): void => {
    if (looking.has(environment.name)) return
    const looked = attempt(`looking at ${environment.name}`, () => look(environment, now)).then(() => {
      looking.delete(environment.name)
    })
    looking.set(environment.name, looked)
  }

  const turn = async (): Promise<void> => {
    const now = clock()
    const { store } = deps
    const told = {
      policy: deps.policy(),
      consoleUrl: deps.consoleUrl,
      now,
      ...(deps.isHeld ? { isHeld: deps.isHeld } : {}),
    }
    if (isDue('look', stepMs, now))
      for (const environment of deps.environments().filter(deps.isExpected)) startLook(environment, now)
    await attempt('maintenance windows', () => deps.maintain(now))
    await attempt('announcing incidents', () => void announceIncidents(store, told))
    await attempt('escalation', () => void runEscalation(store, told))
    if (isDue('audit', auditEveryMs, now)) await attempt('the audit of the engine', () => audit(deps, clock()))
    if (isDue('upkeep', upkeepEveryMs, now))
      await attempt('upkeep', () => {
        foldSamples(store, now)
      })
    if (isDue('handoff', handoffEveryMs, now)) await attempt('the hand-off', () => void announceHandoff(store, told))
    if (isDue('coverage', coverageEveryMs, now)) await attempt('the check of coverage', () => checkCoverage(deps, now))
  }

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await attempt('a turn of the engine', turn)
      await sleep(turnMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
    await Promise.all(looking.values())
  }
  const running = run()
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await running
    },
  }
}

/** A sample of nothing when collecting hangs: rules say what silence means. */
async function collectWithin(collect: (now: Date) => Promise<Sample>, now: Date): Promise<Sample> {
  const bound = new AbortController()
  try {
    return await Promise.race([collect(now), sleep(collectBoundMs, emptySample(), { signal: bound.signal })])
  } finally {
    bound.abort()
  }
}

function audit(deps: EngineDeps, now: Date): void {
  const overdue = findOverdue(deps.store, now)
  for (const { what, since } of overdue) deps.log.error(`late: ${what}`, { since, code: 'escalation-late' })
  if (overdue.length > 0) return
  writeHeartbeat(deps.folder, now)
  deps.onHeartbeat?.(now)
}

/** People are entered, but some day of the coming weeks has nobody: told once a day while it is so. */
function checkCoverage(deps: EngineDeps, now: Date): void {
  const policy = deps.policy()
  if (policy.people.length === 0) return
  const gaps = coverageGaps(readSchedule(deps.store, policy, now), now)
  const [first] = gaps
  if (!first) return
  openIncident(deps.store, {
    environment: 'operations',
    severity: 'P3',
    title: `Nobody is on call from ${first.from} until ${first.until}`,
    cause: gaps.length > 1 ? `and ${gaps.length - 1} more stretches in ${policy.oncall.coverageDays} days` : '',
    dedupKey: 'operations/coverage',
    openedBy: 'dam: ops',
    evidence: { gaps },
    now,
  })
}
