import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { chosenConfig, chosenOptions } from '../chosen-config.ts'
import { shellEnvironment } from '../config.ts'
import { withDatabase } from '../database-access.ts'
import { CommandFailure } from '../failure.ts'
import { psqlSessionOptions } from '../psql-session.ts'
import { quote } from '../shell.ts'
import { tableText } from '../table.ts'
import { findProgram } from '../toolchain.ts'

export const help = `
Usage: ./dam psql [--environment <name>] [--exec] [-c <sql>]

  ./dam psql                 print the command with which psql connects to DAM's database
  ./dam psql --exec          run psql (it must be installed: apt-get install postgresql-client)
  ./dam psql -c "SELECT 1"   run one statement and print the rows; needs no psql

To let plain psql lines such as  psql -d dam_db -c "..."  find the built-in database:  eval "$(./dam env)"

These sessions look for names in the schema dam_compat first: it has pg_stat_statements with total_time as it was called
before PostgreSQL 13. A table that is created without naming its schema would land there: write  create table public.x
`

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { ...chosenOptions, exec: { type: 'boolean' }, command: { type: 'string', short: 'c' } },
  })
  const { config } = chosenConfig(values)
  if (values.command !== undefined) {
    const statement = values.command
    return withDatabase(config, (connectionString) => printRows(connectionString, statement))
  }
  const connection = config.databaseUrl ? { url: config.databaseUrl.reveal() } : builtIn(config.dataDir)
  if (values.exec) return execute(connection)
  console.log(commandLine(connection))
  return 0
}

type Connection = { url: string } | { host: string; port: number; user: string; database: string; passwordFile: string }

function builtIn(dataDir: string): Connection {
  const running = describeRunningPostgres(dataDir)
  if (running) return running.tcp
  throw new CommandFailure(
    `The built-in database of ${dataDir} is not running. Start it with ./dam up, or ask one thing with ./dam psql -c "...".`,
  )
}

const libpqArguments = (connection: Connection): string[] =>
  'url' in connection
    ? [connection.url]
    : ['-h', connection.host, '-p', String(connection.port), '-U', connection.user, '-d', connection.database]

function commandLine(connection: Connection): string {
  const words = ['psql', ...libpqArguments(connection)].map(quote).join(' ')
  const options = `PGOPTIONS=${quote(psqlSessionOptions)}`
  return 'passwordFile' in connection
    ? `${options} PGPASSFILE=${quote(connection.passwordFile)} ${words}`
    : `${options} ${words}`
}

async function execute(connection: Connection): Promise<number> {
  const psql = findProgram('psql', shellEnvironment['PATH'])
  if (!psql) {
    throw new CommandFailure(
      'psql is not installed: apt-get install postgresql-client. Without it, ./dam psql -c "..." runs one statement.',
    )
  }
  const passwordFile = 'passwordFile' in connection ? { PGPASSFILE: connection.passwordFile } : {}
  const child = spawn(psql, libpqArguments(connection), {
    stdio: 'inherit',
    env: { PGOPTIONS: psqlSessionOptions, ...shellEnvironment, ...passwordFile },
  })
  // Ctrl-C cancels the statement in psql; it is not for us.
  process.on('SIGINT', () => undefined)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

async function printRows(connectionString: string, statement: string): Promise<number> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    connectionString,
    application_name: 'dam: psql',
    options: psqlSessionOptions,
    // Values as the server writes them, like psql.
    types: { getTypeParser: () => (text: string) => text },
  })
  await client.connect()
  try {
    const answer = await client.query({ text: statement, rowMode: 'array' })
    for (const result of Array.isArray(answer) ? (answer as (typeof answer)[]) : [answer]) {
      if (result.fields.length === 0)
        console.log([result.command, result.rowCount].filter((part) => part !== null).join(' '))
      else
        console.log(
          tableText(
            result.fields.map((field) => field.name),
            result.rows as unknown[][],
          ),
        )
    }
    return 0
  } finally {
    await client.end()
  }
}
