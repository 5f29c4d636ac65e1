import { join, sql, type Database } from '@dam/platform/database'
import type { ErrorEntry } from '@dam/platform/log'

const mostWaiting = 1_000
const keptDays = 35

/** Copies ERROR lines into table `error_log`, some at a time; while the database is away they wait, the oldest give way. */
export function openErrorLog(database: Database, process: string): { add(entry: ErrorEntry): void; flush(): Promise<void>; prune(): Promise<void> } {
  let waiting: (ErrorEntry & { at: Date })[] = []
  let timer: NodeJS.Timeout | undefined

  const flush = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const batch = waiting
    if (batch.length === 0) return
    waiting = []
    const rows = batch.map(
      (e) => sql`(${e.at}::timestamptz, 'ERROR', ${e.code}, ${e.message.slice(0, 4000)}, ${process}, ${e.route ?? null}, ${e.request_id ?? null}, ${e.user_id ?? null}::bigint, ${e.asset_id ?? null}::bigint, ${e.stack?.slice(0, 8000) ?? null})`,
    )
    try {
      await database.run(sql`
        insert into error_log ("timestamp", level, code, message, process, route, request_id, user_id, asset_id, stack) values ${join(rows)}`)
    } catch {
      waiting = [...batch, ...waiting].slice(-mostWaiting)
      schedule(5_000)
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
