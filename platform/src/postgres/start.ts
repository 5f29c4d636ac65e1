import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { LockHeldError, takeExclusiveLock } from '../exclusive-lock.ts'
import { ensureCluster } from './cluster.ts'
import {
  choosePort,
  connectionString,
  createLayout,
  databaseName,
  readOrCreatePassword,
  writePgpass,
} from './layout.ts'
import { keepRunning } from './keep-running.ts'
import { livingPostmaster, readPidFile, stopPostmaster } from './postmaster.ts'
import { preparePrograms } from './programs.ts'
import { decideRunAs, type RunAsKind } from './run-as.ts'
import { type PostgresLog, type Server, type ServerPlan, ServerStartError, startServer } from './server.ts'
import { fingerprintOf } from './settings.ts'

export type { PostgresLog } from './server.ts'

export type StartOptions = {
  /** DAM's data directory; everything goes below `postgres/` in it. */
  dataDir: string
  log: PostgresLog
  /** `none` is for tests. */
  durability?: 'full' | 'none'
  /** Forces a way to run; otherwise the best for this user is chosen. */
  runAs?: RunAsKind
}

export type EmbeddedPostgres = AsyncDisposable & {
  /** Over the unix socket, for our own processes. Stays valid when the server is restarted. */
  connectionString: string
  /** Process number of the server that runs now. */
  readonly pid: number
  /** Of PostgreSQL, such as "18.4". */
  version: string
  binDir: string
  /** True when a server that a killed DAM left behind was taken over. */
  adopted: boolean
  /** Lets it write everything out first, unless `immediately`: then it recovers at its next start. */
  stop(options?: { immediately?: boolean }): Promise<void>
}

/**
 * Starts the built-in PostgreSQL, or takes over the one that a killed DAM left running, and keeps it running until
 * `stop`. Throws an Error that says what to do: when another process uses this data directory, when the disk is not
 * ours, or when the server refuses to start (with the end of its log).
 */
export async function startPostgres(options: StartOptions): Promise<EmbeddedPostgres> {
  const layout = createLayout(options.dataDir)
  const lock = lockOrExplain(layout.lockFile)
  try {
    const runAs = decideRunAs(options.runAs)
    const programs = await preparePrograms({
      fallbackDir: layout.programsDir,
      ...(runAs.kind === 'dropped' ? { privateCopyIn: layout.programsDir } : {}),
    })
    const password = readOrCreatePassword(layout)
    const plan: ServerPlan = {
      layout,
      programs,
      runAs,
      durability: options.durability ?? 'full',
      port: 0,
      log: options.log,
    }
    const adopted = await takeOver(plan, password)
    if (!adopted) await ensureCluster({ layout, programs, runAs, password })
    const server = adopted ?? (await startFresh(plan))
    const { port, socketDir } = server
    writePgpass(layout, port, password)
    const version = await ensureDatabase(connectionString({ password, port, database: 'postgres', socketDir }))
    return keepRunning({
      plan: { ...plan, port },
      server,
      onStopped: () => lock.release(),
      facts: {
        connectionString: connectionString({ password, port, database: databaseName, socketDir }),
        version,
        binDir: programs.binDir,
        adopted: adopted !== null,
      },
    })
  } catch (error) {
    lock.release()
    throw error
  }
}

function lockOrExplain(path: string) {
  try {
    return takeExclusiveLock(path, {})
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    throw new Error(
      `The database in this data directory is in use by process ${String(error.holder['pid'] ?? 'unknown')}. Stop that one first, or choose another data directory with DAM_DATA.`,
      { cause: error },
    )
  }
}

async function startFresh(plan: ServerPlan): Promise<Server> {
  const { layout } = plan
  for (let attempt = 1; ; attempt++) {
    // No server of ours is behind this file (takeOver made sure), and a number that now belongs to another program,
    // or to a zombie, would make the server refuse for ever.
    rmSync(join(layout.clusterDir, 'postmaster.pid'), { force: true })
    plan.port = await choosePort(layout)
    try {
      return await startServer(plan)
    } catch (error) {
      const another = error instanceof ServerStartError && error.because === 'port-taken' && attempt < 5
      if (!another) throw error
    }
  }
}

/** A server that answers and has the settings of this release is as good as a new one. Any other is stopped. */
async function takeOver(plan: ServerPlan, password: string): Promise<Server | null> {
  const { clusterDir } = plan.layout
  const living = livingPostmaster(clusterDir)
  if (!living) return null
  const deadline = performance.now() + 10_000
  let file = readPidFile(clusterDir)
  while (!file?.ready && performance.now() < deadline && livingPostmaster(clusterDir)) {
    await sleep(50)
    file = readPidFile(clusterDir)
  }
  if (file?.ready && file.port !== null && file.socketDir !== null) {
    const { port, socketDir } = file
    const wanted = fingerprintOf({
      port,
      socketDir,
      durability: plan.durability,
      programsVersion: plan.programs.version,
    })
    const running = await askFingerprint(connectionString({ password, port, database: 'postgres', socketDir }))
    if (running === wanted) {
      plan.log.info(`took over the database that was left running (process ${living.pid})`)
      return { identity: living.identity, port, socketDir }
    }
  }
  plan.log.info(`stopping the database that was left running (process ${living.pid})`)
  await stopPostmaster(living.identity, clusterDir)
  return null
}

async function askFingerprint(url: string): Promise<string | null> {
  try {
    return await withClient(url, async (client) => {
      const { rows } = await client.query<{ fingerprint: string | null }>(
        `select current_setting('dam.settings', true) as fingerprint`,
      )
      return rows[0]?.fingerprint ?? null
    })
  } catch {
    return null
  }
}

/** Creates our database when it is missing; returns the version of the server. */
async function ensureDatabase(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ version: string; exists: boolean }>(
      `select split_part(current_setting('server_version'), ' ', 1) as version,
              exists (select from pg_database where datname = '${databaseName}') as exists`,
    )
    if (!rows[0]?.exists) await client.query(`create database ${databaseName}`)
    return rows[0]?.version ?? ''
  })
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 10_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
