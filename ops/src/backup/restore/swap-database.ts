import { setTimeout as sleep } from 'node:timers/promises'
import { escapeIdentifier } from 'pg'
import { connect, databaseOf, onDatabase } from '../connect.ts'
import { compactTime } from '../backup-folder.ts'
import { codeOf, dropDatabase, onServer } from './side-database.ts'

/** How long the database that was replaced is kept. */
export const keptBeforeDays = 7

export type ReplacedDatabase = { name: string; replacedAt: Date }

/**
 * Gives `incoming` the name of the live database, which is kept as `<name>_before_<time>`: both or neither, also when this process or the
 * server dies. Connections to the live database are ended; new ones wait the moment it takes. Resolves with the kept name.
 */
export async function swapDatabase(connectionString: string, incoming: string, now: Date): Promise<string> {
  const live = databaseOf(connectionString)
  // Two swaps within a second have different names, in their order.
  const [newest] = await replacedDatabases(connectionString)
  const moment = Math.max(now.getTime(), newest ? newest.replacedAt.getTime() + 1_000 : 0)
  const kept = `${live}_before_${compactTime(new Date(moment))}`
  await renameTogether(connectionString, [
    [live, kept],
    [incoming, live],
  ])
  return kept
}

/** Swaps back: the newest database that was replaced gets its name again; the one that replaced it is kept like that one was. */
export async function undoSwap(connectionString: string, now: Date): Promise<{ restored: string; kept: string }> {
  const [newest] = await replacedDatabases(connectionString)
  if (!newest) throw new Error('There is no database from before a restore any more, so nothing can be undone.')
  const kept = await swapDatabase(connectionString, newest.name, now)
  return { restored: newest.name, kept }
}

/** Databases that restores replaced, newest first. */
export const replacedDatabases = (connectionString: string): Promise<ReplacedDatabase[]> =>
  timedDatabases(connectionString, `${databaseOf(connectionString)}_before_`)

/**
 * Drops the databases that were replaced, and those that were restored and never took a place, long enough ago; resolves with their names.
 */
export async function dropReplacedDatabases(
  connectionString: string,
  now: Date,
  keepDays = keptBeforeDays,
): Promise<string[]> {
  const replaced = await replacedDatabases(connectionString)
  const unused = await timedDatabases(connectionString, 'dam_restore_')
  const old = [...replaced, ...unused].filter(
    ({ replacedAt }) => now.getTime() - replacedAt.getTime() > keepDays * 86_400_000,
  )
  for (const { name } of old) await dropDatabase(connectionString, name)
  return old.map(({ name }) => name)
}

/** Databases with such a name and a moment, newest first. */
async function timedDatabases(connectionString: string, prefix: string): Promise<ReplacedDatabase[]> {
  const { rows } = await onServer(connectionString, (admin) =>
    admin.query<{ name: string }>(`select datname as name from pg_database where starts_with(datname, $1)`, [prefix]),
  )
  return rows
    .flatMap(({ name }) => {
      const moment = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(name.slice(prefix.length))
      if (!moment) return []
      const [, year, month, day, hour, minute, second] = moment
      return [{ name, replacedAt: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) }]
    })
    .toSorted((a, b) => b.replacedAt.getTime() - a.replacedAt.getTime())
}

async function renameTogether(connectionString: string, renames: [from: string, to: string][]): Promise<void> {
  const names = renames.map(([from]) => from)
  for (let attempt = 1; ; attempt++) {
    await using admin = await connect(onDatabase(connectionString, 'postgres'), 'swap')
    let isOver = false
    const ending = endConnections(connectionString, names, () => isOver)
    try {
      await admin.query('begin')
      // A rename locks its database against new connections and waits up to 5 s for the old ones, which are ended meanwhile.
      for (const [from, to] of renames)
        await admin.query(`alter database ${escapeIdentifier(from)} rename to ${escapeIdentifier(to)}`)
      await admin.query('commit')
      return
    } catch (error) {
      await admin.query('rollback').catch(() => undefined)
      if (codeOf(error) === '42501')
        throw new Error(
          'The database user may not rename databases. Let an administrator of the server make it their owner and give it CREATEDB.',
          { cause: error },
        )
      if (codeOf(error) !== '55006' || attempt === 5) throw error
    } finally {
      isOver = true
      await ending
    }
  }
}

async function endConnections(
  connectionString: string,
  names: readonly string[],
  isOver: () => boolean,
): Promise<void> {
  await onServer(connectionString, async (admin) => {
    while (!isOver()) {
      await admin.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = any($1) and pid <> pg_backend_pid()',
        [names],
      )
      await sleep(50)
    }
  })
}
