import type { Pointer } from '../front/front-api.ts'
import type { Store } from '../store.ts'

/** Where requests of the environment should go; undefined before the first deployment. The front is made to agree. */
export const readPointer = (store: Store, environment: string): Pointer | undefined => {
  const row = store.row<{ pointer: string }>('select pointer from pointer where environment = ?', environment)
  return row && (JSON.parse(row.pointer) as Pointer)
}

/** Call inside a transaction that checked the lease. */
export function writePointer(store: Store, pointer: Pointer, now: Date): void {
  store.run(
    `insert into pointer (environment, pointer, fencing_token, at) values (?, ?, ?, ?)
     on conflict (environment) do update set pointer = excluded.pointer, fencing_token = excluded.fencing_token, at = excluded.at`,
    pointer.environment,
    JSON.stringify(pointer),
    pointer.fencingToken,
    now.toISOString(),
  )
}
