import { sql, type Querier } from '@dam/platform/database'
import { holdSeconds, uploadColumns, type UploadRow } from './upload-store.ts'

const untilThen = sql`now() + make_interval(secs => ${holdSeconds})`

export type HoldAttempt =
  | { taken: true; row: UploadRow }
  /** `holder` works on it under `grip`. */
  | { taken: false; holder: string; grip: number }

type Attempted = Partial<UploadRow> & { previousHolder: string | null; previousGrip: number }

/**
 * Takes the upload for `holder` when nobody holds it, when `holder` does, when the time of whoever does is over, or when that is
 * `deadHolder`. Every earlier grip is void from then on. Undefined when there is no such upload.
 */
export async function takeHold(
  querier: Querier,
  id: string,
  by: { holder: string; deadHolder: string | null },
): Promise<HoldAttempt | undefined> {
  const attempted = await querier.row<Attempted>(sql`
    with before as (
      select id as upload_id, holder as previous_holder, grip as previous_grip,
        holder is null or holder = ${by.holder} or held_until < now() or holder is not distinct from ${by.deadHolder}::text as is_free
      from upload where id = ${id} for update),
    taken as (
      update upload set grip = grip + 1, holder = ${by.holder}, held_until = ${untilThen},
        file_disputed = file_disputed or (previous_holder <> ${by.holder} and previous_holder is distinct from ${by.deadHolder}::text)
      from before where id = upload_id and is_free
      returning ${uploadColumns}, set_config('synchronous_commit', 'off', true) as unflushed)
    select previous_holder as "previousHolder", previous_grip as "previousGrip", taken.*
    from before left join taken on taken.id = upload_id`)
  if (!attempted) return undefined
  const { previousHolder, previousGrip, ...row } = attempted
  if (isRow(row)) return { taken: true, row }
  return { taken: false, holder: previousHolder ?? '', grip: previousGrip }
}

const isRow = (row: Partial<UploadRow>): row is UploadRow => typeof row.id === 'string'

/** Says that the holder still works on these. Gives the ids it holds; the others it has lost. */
export async function renewHolds(querier: Querier, holder: string, ids: readonly string[]): Promise<string[]> {
  const kept = await querier.rows<{ id: string }>(sql`
    update upload set held_until = ${untilThen} where id = any(${ids}) and holder = ${holder}
    returning id, set_config('synchronous_commit', 'off', true)`)
  return kept.map(({ id }) => id)
}

export const releaseHold = (querier: Querier, id: string, grip: number): Promise<unknown> =>
  querier.rows(sql`
    update upload set holder = null, held_until = null where id = ${id} and grip = ${grip} and holder is not null
    returning set_config('synchronous_commit', 'off', true)`)

/** From now on the bytes lie in a file that only the holder of this grip has open. False when the grip is void. */
export async function adoptFile(querier: Querier, id: string, grip: number): Promise<boolean> {
  const adopted = await querier.run(
    sql`update upload set file_grip = grip, file_disputed = false where id = ${id} and grip = ${grip}`,
  )
  return adopted === 1
}
