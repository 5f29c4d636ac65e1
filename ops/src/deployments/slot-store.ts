import type { Store } from '../store.ts'
import type { Slot, SlotObservation } from './deployment.ts'

type Row = Omit<Slot, 'observed'> & { observed: string }

const columns = `id, environment, digest, tag, release_dir as releaseDir, port, desired_web as desiredWeb, desired_worker as desiredWorker,
  fencing_token as fencingToken, created_at as createdAt, observed`

const slotOf = (row: Row): Slot => {
  const observed = JSON.parse(row.observed) as Partial<NonNullable<SlotObservation>>
  return { ...row, observed: observed.at === undefined ? null : (observed as NonNullable<SlotObservation>) }
}

export const findSlot = (store: Store, id: string): Slot | undefined => {
  const row = store.row<Row>(`select ${columns} from slot where id = ?`, id)
  return row && slotOf(row)
}

/** Oldest first. */
export const listSlots = (store: Store, environment: string): Slot[] =>
  store.rows<Row>(`select ${columns} from slot where environment = ? order by rowid`, environment).map(slotOf)

/** True while a process of it runs or should run. */
export const isInUse = (slot: Slot): boolean =>
  slot.desiredWeb === 'running' ||
  slot.desiredWorker === 'running' ||
  slot.observed?.web.pid != null ||
  slot.observed?.worker.pid != null

/** The slot of a release that answers already; during a bake the old release has one. */
export const warmSlot = (store: Store, environment: string, digest: string): Slot | undefined =>
  listSlots(store, environment).find((slot) => slot.digest === digest && slot.desiredWeb === 'running' && isInUse(slot))

/** Ports that no new slot may take, over all environments of the host. */
export const portsInUse = (store: Store): Set<number> =>
  new Set(
    store
      .rows<Row>(`select ${columns} from slot`)
      .map(slotOf)
      .filter(isInUse)
      .map((slot) => slot.port),
  )

/** Call inside a transaction that checked the lease. */
export function createSlot(
  store: Store,
  slot: Pick<Slot, 'environment' | 'digest' | 'tag' | 'releaseDir' | 'port' | 'fencingToken'>,
  now: Date,
): Slot {
  const { count } = store.row<{ count: number }>(
    'select count(*) as count from slot where environment = ?',
    slot.environment,
  ) ?? {
    count: 0,
  }
  const id = `${slot.environment}-${count + 1}`
  store.run(
    `insert into slot (id, environment, digest, tag, release_dir, port, desired_web, desired_worker, fencing_token, created_at)
     values (?, ?, ?, ?, ?, ?, 'running', 'stopped', ?, ?)`,
    id,
    slot.environment,
    slot.digest,
    slot.tag,
    slot.releaseDir,
    slot.port,
    slot.fencingToken,
    now.toISOString(),
  )
  const created = findSlot(store, id)
  if (!created) throw new Error(`The slot ${id} is not in the store although it was just written.`)
  return created
}

/** Call inside a transaction that checked the lease. */
export function setDesired(
  store: Store,
  id: string,
  desired: Partial<Pick<Slot, 'desiredWeb' | 'desiredWorker'>>,
  fencingToken: number,
): void {
  store.run(
    `update slot set desired_web = coalesce(?, desired_web), desired_worker = coalesce(?, desired_worker), fencing_token = ? where id = ?`,
    desired.desiredWeb ?? null,
    desired.desiredWorker ?? null,
    fencingToken,
    id,
  )
}

/** The keeper's. */
export const writeObserved = (store: Store, id: string, observed: NonNullable<SlotObservation>): void => {
  store.run('update slot set observed = ? where id = ?', JSON.stringify(observed), id)
}
