import { recordAudit } from '../audit/audit.ts'
import type { Store } from '../store.ts'

export type Freeze = { environment: string; at: string; because: string }

export const readFreeze = (store: Store, environment: string): Freeze | undefined =>
  store.row<Freeze>('select environment, at, because from freeze where environment = ?', environment)

/** Until a person lifts it the environment takes no deployment; rolling back always works. */
export const freezeEnvironment = (store: Store, freeze: { environment: string; because: string; now: Date }): void => {
  store.run(
    'insert into freeze (environment, at, because) values (?, ?, ?) on conflict (environment) do nothing',
    freeze.environment,
    freeze.now.toISOString(),
    freeze.because,
  )
}

/** False when it was not frozen. */
export function liftFreeze(
  store: Store,
  options: { environment: string; who: string; reason: string; now: Date },
): boolean {
  const { environment, who, reason, now } = options
  if (reason.trim() === '') throw new Error('Lifting a freeze needs a reason: --reason "…"')
  return store.transaction(() => {
    const freeze = readFreeze(store, environment)
    if (!freeze) return false
    store.run('delete from freeze where environment = ?', environment)
    recordAudit(store, {
      who,
      action: 'freeze.lift',
      subject: `environment:${environment}`,
      detail: { reason, since: freeze.at, because: freeze.because },
      now,
    })
    return true
  })
}
