import type { Log } from '@dam/platform/log'
import type { Environment } from '../environments/environment.ts'
import type { Incident } from '../incidents/incident.ts'
import { addIncidentEvent } from '../incidents/incident-store.ts'
import type { AlertRule, Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { diagnose, type Diagnosis } from './diagnose.ts'
import { keepDiagnosis } from './diagnosis-store.ts'
import { diagnosisText, topLine } from './diagnosis-text.ts'
import { openPlace } from './open-place.ts'
import { topCause } from './rank-causes.ts'

export type AlertDiagnosis = AsyncDisposable & {
  /** Runs the playbook of the rule in the background. */
  onOpened: (opened: { incidentId: number; rule: AlertRule; environment: Environment }) => void
  /** True while the announcement of this incident should wait for its diagnosis: never a P0, never longer than three seconds. */
  isHeld: (incident: Pick<Incident, 'id' | 'severity' | 'openedAt'>, now: Date) => boolean
}

const patienceMs = 3_000
const me = 'dam: ops'

/** A firing alert is diagnosed by itself, so that the page already holds the most likely cause. */
export function openAlertDiagnosis(deps: {
  store: Store
  policy: () => Policy
  shell: Readonly<Record<string, string | undefined>>
  log: Pick<Log, 'info' | 'error'>
  now?: () => Date
}): AlertDiagnosis {
  const clock = deps.now ?? (() => new Date())
  const underWay = new Map<number, { startedAt: number; done: Promise<void> }>()

  const run = async ({ incidentId, rule, environment }: Parameters<AlertDiagnosis['onOpened']>[0]): Promise<void> => {
    const place = openPlace({
      environment,
      store: deps.store,
      shell: deps.shell,
      cdnUrl: deps.policy().service.cdnUrl,
      // Looks close together: the announcement waits for it.
      gapMs: 900,
      now: clock(),
    })
    noteDiagnosis(deps.store, incidentId, await diagnose(place, rule.playbook), clock())
  }
  return {
    onOpened: (opened) => {
      const done = run(opened)
        .catch((error: unknown) => deps.log.error('the diagnosis of an alert failed', { error, code: 'diagnosis' }))
        .finally(() => underWay.delete(opened.incidentId))
      underWay.set(opened.incidentId, { startedAt: clock().getTime(), done })
    },
    isHeld: ({ id, severity }, now) => {
      const diagnosis = underWay.get(id)
      return severity !== 'P0' && diagnosis !== undefined && now.getTime() - diagnosis.startedAt < patienceMs
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...underWay.values()].map(({ done }) => done))
    },
  }
}

/** Writes a diagnosis into its incident. Who was told of the incident before it was there, such as of a P0, is sent it as an update. */
export function noteDiagnosis(store: Store, incidentId: number, diagnosis: Diagnosis, now: Date): number {
  return store.transaction(() => {
    const id = keepDiagnosis(store, diagnosis, { who: me, incidentId, now })
    const line = topLine(diagnosis, id)
    store.run(
      `update incident set evidence = json_set(evidence, '$.diagnosis', ?, '$.diagnosisId', ?) where id = ?`,
      line,
      id,
      incidentId,
    )
    addIncidentEvent(store, incidentId, {
      kind: 'diagnosis',
      who: me,
      message: line,
      detail: { diagnosisId: id, top: topCause(diagnosis.causes)?.cause ?? null, text: diagnosisText(diagnosis, id) },
      now,
    })
    if (isAnnounced(store, incidentId))
      addIncidentEvent(store, incidentId, { kind: 'update', who: me, message: line, now })
    return id
  })
}

const isAnnounced = (store: Store, incidentId: number): boolean =>
  store.row(`select 1 as one from outbox where subject = ? limit 1`, `incident:${incidentId}`) !== undefined
