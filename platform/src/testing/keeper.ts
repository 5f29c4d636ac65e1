// Keeps the PostgreSQL that test processes share: `node keeper.ts <folder>`. Ends when nobody has used it for a while.
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { LockHeldError, takeExclusiveLock } from '../exclusive-lock.ts'
import { startPostgres } from '../postgres/start.ts'
import { keeperLock, readyFile } from './server.ts'

const idleLimitMs = 90_000
const dir = process.argv[2]
if (!dir) throw new Error('usage: node keeper.ts <folder>')
process.title = 'dam: test database'
const say = (message: string) => appendFileSync(join(dir, 'keeper.log'), `${new Date().toISOString()} ${message}\n`)

try {
  const lock = takeExclusiveLock(keeperLock(dir), {})
  rmSync(readyFile(dir), { force: true })
  const postgres = await startPostgres({ dataDir: dir, log: { info: say, warn: say }, durability: 'none' })
  writeFileSync(readyFile(dir), JSON.stringify({ keeper: process.pid, connectionString: postgres.connectionString }), {
    mode: 0o600,
  })
  const stopAsked = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  await Promise.race([stopAsked, untilIdle(postgres.connectionString)])
  rmSync(readyFile(dir), { force: true })
  await postgres.stop()
  rmSync(join(dir, 'postgres'), { recursive: true, force: true })
  lock.release()
} catch (error) {
  if (!(error instanceof LockHeldError)) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    process.exitCode = 1
  }
}
process.exit()

async function untilIdle(connectionString: string): Promise<void> {
  let usedAt = performance.now()
  let sessions = 0
  while (performance.now() - usedAt < idleLimitMs) {
    await sleep(2_000)
    const client = new pg.Client({ connectionString, application_name: 'dam: test keeper' })
    client.on('error', () => undefined)
    try {
      await client.connect()
      const { rows } = await client.query<{ now: number; ever: number }>(
        `select (select sum(sessions) from pg_stat_database)::float8 as ever, count(*)::float8 as now from pg_stat_activity
         where backend_type = 'client backend' and application_name <> 'dam: test keeper'`,
      )
      const { now = 0, ever = 0 } = rows[0] ?? {}
      // Short sessions between two looks count, too; one is our own.
      if (now > 0 || ever > sessions + 1) usedAt = performance.now()
      sessions = ever
    } catch (error) {
      say(String(error))
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}
