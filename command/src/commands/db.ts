import { parseArgs } from 'node:util'
import { readActivity } from '@dam/ops/src/diagnosis/probes/database-activity.ts'
import { openReadOnlySession } from '@dam/ops/src/diagnosis/probes/database-session.ts'
import { slowestStatements } from '@dam/ops/src/diagnosis/probes/database-statements.ts'
import { readTables } from '@dam/ops/src/diagnosis/probes/database-tables.ts'
import { reasonOf } from '@dam/ops/src/diagnosis/probe.ts'
import { openDiagnosisPlace, placeOptions } from '../diagnosis/diagnosis-place.ts'
import { CommandFailure } from '../failure.ts'
import { tableText } from '../table.ts'

export const help = `
Usage: ./dam db connections   who is connected, how many are left, who is idle in a transaction
       ./dam db slow          the ten statements that took most time in all (pg_stat_statements)
       ./dam db sizes         tables by size, with what is read from end to end and which index would help
       ./dam db blockers      who holds locks that others wait for

Read-only, waits for no lock, on the database of --environment <name>; --json for machines, -n <lines>.
`

const views = ['connections', 'slow', 'sizes', 'blockers'] as const

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...placeOptions, lines: { type: 'string', short: 'n', default: '10' } },
  })
  const view = views.find((name) => name === positionals[0])
  if (!view || positionals.length > 1) throw new CommandFailure(help.trim())
  const limit = Number(values.lines)
  if (!Number.isInteger(limit) || limit < 1) throw new CommandFailure(`-n ${values.lines} is not a number of lines.`)
  using access = openDiagnosisPlace(values)
  await using session = await openReadOnlySession(access.place.connectionString).catch((error: unknown) => {
    throw new CommandFailure(`The database does not let us in: ${reasonOf(error)}. See ./dam diagnose database.`)
  })
  const print = (value: unknown, text: () => string): void =>
    console.log(values.json ? JSON.stringify(value, null, 2) : text())
  if (view === 'slow') {
    const statements = await slowestStatements(session, limit)
    print(statements, () =>
      tableText(
        ['total s', 'calls', 'mean ms', 'max ms', 'rows', 'statement'],
        statements.map((one) => [
          (one.totalMs / 1_000).toFixed(1),
          one.calls,
          one.meanMs.toFixed(1),
          one.maxMs.toFixed(0),
          one.rows,
          one.query.slice(0, 110),
        ]),
      ),
    )
    return 0
  }
  if (view === 'sizes') {
    const tables = (await readTables(session)).slice(0, limit)
    print(tables, () =>
      tableText(
        ['table', 'MB', 'rows', 'end to end', 'by index', 'advice'],
        tables.map((one) => [
          one.schema === 'public' ? one.table : `${one.schema}.${one.table}`,
          (one.bytes / 1024 ** 2).toFixed(1),
          Math.max(0, Math.round(one.rows)),
          one.sequentialScans,
          one.indexScans,
          one.missingIndex ? `index on ${one.missingIndex.column}` : '',
        ]),
      ),
    )
    return 0
  }
  const activity = await readActivity(session)
  if (view === 'blockers') {
    print(activity.blockers, () =>
      activity.blockers.length === 0
        ? 'Nobody waits for a lock.'
        : activity.blockers
            .map(
              ({ session: holder, victims, longestWaitSeconds, relation }) =>
                `session ${holder.pid} (${holder.application}, ${holder.state}) blocks ${victims}${relation ? ` on ${relation}` : ''}, the longest for ${longestWaitSeconds.toFixed(0)} s\n  ${holder.query}\n  end it: ./dam psql -c "select pg_terminate_backend(${holder.pid})"`,
            )
            .join('\n'),
    )
    return activity.blockers.length === 0 ? 0 : 1
  }
  const { used, maxConnections, reserved, idleInTransaction, byApplication } = activity
  print({ used, maxConnections, reserved, idleInTransaction, byApplication, sessions: activity.sessions }, () =>
    [
      `${used} of ${maxConnections} connections (${reserved} kept for the administrator), ${idleInTransaction} idle in a transaction`,
      '',
      tableText(
        ['sessions', 'application', 'state'],
        byApplication.map((one) => [one.sessions, one.application, one.state]),
      ),
    ].join('\n'),
  )
  return 0
}
