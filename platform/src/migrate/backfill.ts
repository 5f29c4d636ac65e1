import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { keepBatch, readBatch, type Section } from './ledger.ts'
import { label } from './migration.ts'
import type { Backfill } from './parse-backfill.ts'

export type BackfillPlace = Section & { name: string; statement: number }

/** Lock timeout, deadlock, serialization: somebody else was first, and will be done soon. */
const passing = new Set(['55P03', '40P01', '40001'])
const mostFailures = 20
const tellEveryMs = 5_000

/**
 * Changes the rows of a table in batches along its key, each a short transaction together with the note of how far it came: a killed run
 * goes on behind the last batch, and no row is locked for longer than one. Rests after each batch at least as long as that took. Ends
 * with the first batch that is not full; rows that are added later are those of code that knows what to write.
 */
export async function runBackfill(
  client: pg.Client,
  options: { lockTimeoutMs: number; log?: ((message: string) => void) | undefined },
  place: BackfillPlace,
  { table, key, batchRows, pauseMs, sql }: Backfill,
): Promise<void> {
  const estimate = await client.query<{ n: string }>(
    `select greatest(reltuples, 0)::bigint as n from pg_class where oid = $1::regclass`,
    [table],
  )
  const about = Number(estimate.rows[0]?.n ?? 0)
  let toldAt = 0
  let failures = 0
  for (;;) {
    const from = performance.now()
    const before = await readBatch(client, place)
    try {
      await client.query('begin')
      await client.query(`set local lock_timeout = ${options.lockTimeoutMs}`)
      // As text: a key may be a number, a uuid or a name, and is compared as what it is.
      const { rows } = await client.query<{ first: string | null; last: string | null; n: number }>(
        `select (array_agg(batch.key order by batch.key))[1]::text as first,
                (array_agg(batch.key order by batch.key desc))[1]::text as last, count(*)::int as n
         from (select ${key} as key from ${table} ${before === null ? '' : `where ${key} > $1`} order by ${key} limit ${batchRows}) batch`,
        before === null ? [] : [before.lastKey],
      )
      const { first = null, last = null, n = 0 } = rows[0] ?? {}
      if (first === null || last === null) {
        await client.query('commit')
        return
      }
      await client.query(sql, [first, last])
      const done = (before?.rows ?? 0) + n
      await keepBatch(client, place, { lastKey: last, rows: done })
      await client.query('commit')
      failures = 0
      if (performance.now() - toldAt > tellEveryMs || n < batchRows) {
        options.log?.(`${label(place)}: ${done} rows of ${table}${about > done ? ` of about ${about}` : ''}`)
        toldAt = performance.now()
      }
      // Others add rows all the time: a batch that is not full has reached the end.
      if (n < batchRows) return
    } catch (error) {
      await client.query('rollback').catch(() => undefined)
      const isPassing = error instanceof pg.DatabaseError && passing.has(error.code ?? '')
      if (!isPassing || ++failures === mostFailures) throw error
    }
    await sleep(Math.max(pauseMs, performance.now() - from))
  }
}
