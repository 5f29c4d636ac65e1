import { isDatabaseUnavailable, join, sql, type Database, type Sql } from '@dam/platform/database'
import type { ErrorEntry } from '@dam/platform/log'
import { fingerprintOf, isFatal } from './error-fingerprint.ts'

const mostWaiting = 1_000
const keptDays = 35

/** PostgreSQL holds no NUL; what tools print does. */
const storable = (text: string, most: number): string => text.replaceAll('\0', '\uFFFD').slice(0, most).toWellFormed()

/** Copies ERROR lines into table `error_log`, some at a time; while the database is away they wait, the oldest give way. */
export function openErrorLog(
  database: Database,
  origin: { process: string; release: string },
): { add(entry: ErrorEntry): void; flush(): Promise<void>; prune(): Promise<void> } {
  let waiting: (ErrorEntry & { at: Date })[] = []
  let timer: NodeJS.Timeout | undefined

  const flush = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const batch = waiting
    if (batch.length === 0) return
    waiting = []
    const rows = batch.map(
      (e) =>
        sql`(${e.at}::timestamptz, 'ERROR', ${e.code}, ${storable(e.message, 4000)}, ${origin.process}, ${e.route ?? null}, ${e.request_id ?? null}, ${e.user_id ?? null}::bigint, ${e.asset_id ?? null}::bigint, ${e.stack === undefined ? null : storable(e.stack, 8000)}, ${origin.release}, ${fingerprintOf(e)}, ${isFatal(e)})`,
    )
    const insert = (some: Sql[]): Promise<number> =>
      database.run(sql`
        insert into error_log ("timestamp", level, code, message, process, route, request_id, user_id, asset_id, stack, release, fingerprint, is_fatal) values ${join(some)}`)
    try {
      await insert(rows)
    } catch (error) {
      if (isDatabaseUnavailable(error)) {
        waiting = [...batch, ...waiting].slice(-mostWaiting)
        schedule(5_000)
      } else {
        // One line that the table cannot take must not keep the others out; it stays in app.log.
        for (const row of rows) await insert([row]).catch(() => 0)
      }
    }
  }
  const schedule = (delayMs: number): void => {
    timer ??= setTimeout(() => void flush(), delayMs)
    timer.unref()
  }
  return {
    add: (entry) => {
      if (waiting.length >= mostWaiting) waiting.shift()
      waiting.push({ ...entry, at: new Date() })
      schedule(200)
    },
    flush,
    prune: async () => {
      await database.run(sql`delete from error_log where "timestamp" < now() - make_interval(days => ${keptDays})`)
    },
  }
}
