import { sql, type Database, type Querier } from '@dam/platform/database'

/** Folds the deltas of `asset_tally` into one row for each count, in one transaction. Readers see the same sums before, during and after. */
export async function foldTally(database: Database): Promise<number> {
  return database.transaction(async (tx) => {
    // One folder at a time: two would delete the same rows and wait for each other.
    const turn = await tx.row<{ mine: boolean }>(
      sql`select pg_try_advisory_xact_lock(hashtextextended('dam fold tally', 0)) as mine`,
    )
    if (!turn?.mine) return 0
    return tx.run(sql`
      with many as (
        select scope, key from asset_tally group by scope, key having count(*) > 1 or sum(delta) = 0
      ), gone as (
        delete from asset_tally t using many where t.scope = many.scope and t.key = many.key returning t.scope, t.key, t.delta
      )
      insert into asset_tally (scope, key, delta)
      select scope, key, sum(delta) from gone group by scope, key having sum(delta) <> 0`)
  })
}

/** How many assets of the library each month has, newest first; months are of `sort_date` in UTC. */
export const monthCounts = (querier: Querier): Promise<{ month: string; asset_count: number }[]> =>
  querier.rows(sql`
    select key as month, sum(delta)::bigint as asset_count from asset_tally where scope = 'month'
    group by key having sum(delta) > 0 order by key desc`)
