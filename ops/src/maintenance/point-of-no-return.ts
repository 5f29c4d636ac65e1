import { type Prediction, predictedSeconds } from '../deployments/rollback-history.ts'
import type { Environment } from '../environments/environment.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import type { MaintenanceWindow } from './window.ts'

const assumedRestoreSeconds = 600

/** What going back would take here: a release of a host is started again, a local DAM is restored from its backup. */
export function predictedReturn(store: Store, environment: Pick<Environment, 'name' | 'isLocal'>): Prediction {
  if (!environment.isLocal) return predictedSeconds(store, environment.name, 'start')
  const drills = store.rows<{ startedAt: string; endedAt: string }>(
    `select started_at as "startedAt", ended_at as "endedAt" from drill
     where environment = ? and state = 'passed' and ended_at is not null order by id desc limit 20`,
    environment.name,
  )
  const seconds = drills.map(({ startedAt, endedAt }) => (Date.parse(endedAt) - Date.parse(startedAt)) / 1_000)
  return seconds.length === 0
    ? { seconds: assumedRestoreSeconds, from: 'assumed: no restore was measured here yet' }
    : { seconds: Math.max(...seconds), from: `longest of ${seconds.length} restore drills` }
}

/** The last moment at which going back still fits into the window. */
export function pointOfNoReturn(
  window: Pick<MaintenanceWindow, 'endsAt'>,
  back: Prediction,
  { rollbackMargin }: Pick<Policy['maintenance'], 'rollbackMargin'>,
): string {
  return new Date(Date.parse(window.endsAt) - back.seconds * 1_000 - rollbackMargin).toISOString()
}
