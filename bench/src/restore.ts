import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { connect, onDatabase } from '@dam/ops/src/backup/connect.ts'
import { createBackup } from '@dam/ops/src/backup/create-backup.ts'
import { restoreDrill } from '@dam/ops/src/backup/drill/restore-drill.ts'
import { dumpDatabase } from '@dam/ops/src/backup/dump/dump-database.ts'
import { readTables, rowTextSettings } from '@dam/ops/src/backup/dump/tables.ts'
import { restoreArchive } from '@dam/ops/src/backup/archive/restore-archive.ts'
import { debianPostgres, debianPrograms } from '@dam/ops/src/backup/testing/debian-postgres.ts'
import { copyAway } from '@dam/ops/src/backup/testing/copy-away.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { readMigrations } from '@dam/platform/migrate'
import { startPostgres } from '@dam/platform/postgres/start'
import { config, root } from './config.ts'
import { library } from './library.ts'
import { type Figure, median, report } from './report.ts'

const assets = config.quick ? 10_000 : 100_000
const rounds = config.quick ? 1 : 3

/** Backup, restore and the drill on a library, beside raw COPY and, where this machine has an older PostgreSQL, its pg_dump on the same data. */
export async function run(): Promise<void> {
  const dataDir = await library(assets, { withPictures: true })
  const home = path.join(config.scratchDir, 'restore')
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const backupsDir = path.join(home, 'backups')
  const environment: Environment = {
    name: 'local',
    isLocal: true,
    publicUrl: '',
    host: '',
    port: 0,
    dataDir,
    databaseUrl: null,
    runDir: null,
    settings: {},
  }
  await using postgres = await startPostgres({ dataDir, log: { info: () => undefined, warn: console.log } })
  const { connectionString } = postgres
  using store = openStore(path.join(home, 'ops'))
  const figures: Figure[] = []

  const raw: number[] = []
  const backups: { rows: number; seconds: number; atRiskSeconds: number; bytes: number }[] = []
  for (let round = 0; round < rounds; round++) {
    raw.push(await rawCopySeconds(connectionString))
    const startedAt = performance.now()
    const now = new Date()
    const backup = await createBackup(
      { store, backupsDir, connectionString },
      { environment, kind: 'manual', now, release: 'bench', reservePercent: 0 },
    )
    const { rows = 0, dumpBytes = 0, snapshotAt = '', tookMs = 0 } = backup.facts
    const atRiskSeconds = (now.getTime() + tookMs - Date.parse(snapshotAt)) / 1000
    backups.push({ rows, seconds: (performance.now() - startedAt) / 1000, atRiskSeconds, bytes: dumpBytes })
  }
  const last = backups.at(-1)
  const rows = last?.rows ?? 0
  figures.push(
    {
      figure: `dump and originals of ${assets} assets, rows per second`,
      value: rows / median(backups.map(({ seconds }) => seconds)),
      unit: 'rows/s',
      n: rounds,
      peer: `raw COPY to nowhere: ${Math.round(rows / median(raw))}`,
    },
    { figure: 'backup, whole', value: median(backups.map(({ seconds }) => seconds)), unit: 's', n: rounds },
    {
      figure: 'RPO: written after the snapshot when the backup is done',
      value: median(backups.map(({ atRiskSeconds }) => atRiskSeconds)),
      unit: 's',
      n: rounds,
    },
    { figure: 'dump', value: (last?.bytes ?? 0) / 1e6, unit: 'MB', n: 1 },
    {
      figure: 'memory of the process that made them, peak',
      value: process.resourceUsage().maxRSS / 1024,
      unit: 'MiB',
      n: rounds,
    },
  )

  const drills: Record<string, number[]> = {}
  for (let round = 0; round < rounds; round++) {
    const drill = await restoreDrill(
      { store, backupsDir, connectionString },
      {
        environment,
        applicationDir: root,
        migrations: readMigrations(path.join(root, 'backend/migrations')),
        now: new Date(),
        shell: config.inherited,
      },
    )
    if (drill.state !== 'passed') throw new Error(`the drill failed: ${drill.report.message ?? ''}`)
    for (const [phase, ms] of Object.entries(drill.report.phasesMs ?? {})) (drills[phase] ??= []).push(ms / 1000)
  }
  const phase = (name: string) => median(drills[name] ?? [])
  figures.push(
    {
      figure: 'RTO: checksums, restore, boot until ready',
      value: phase('examine') + phase('restore') + phase('boot'),
      unit: 's',
      n: rounds,
      target: { atMost: 15 * 60 },
    },
    ...Object.keys(drills).map((name): Figure => ({
      figure: `drill: ${name}`,
      value: phase(name),
      unit: 's',
      n: rounds,
    })),
  )
  if (debianPrograms !== null)
    figures.push(
      ...(await besidePgDump(
        path.join(
          backupsDir,
          store.row<{ id: string }>('select id from backup order by id desc limit 1')?.id ?? '',
          'database.dump',
        ),
        home,
      )),
    )
  rmSync(home, { recursive: true, force: true })
  report('restore', figures)
}

/** Reads every table with COPY and throws the bytes away: what no dump can be faster than over one connection. */
async function rawCopySeconds(connectionString: string): Promise<number> {
  await using client = await connect(connectionString, 'bench')
  await client.query(rowTextSettings)
  const startedAt = performance.now()
  for (const table of await readTables(client)) await copyAway(client, table)
  return (performance.now() - startedAt) / 1000
}

async function besidePgDump(dump: string, home: string): Promise<Figure[]> {
  await using server = await debianPostgres()
  const run = promisify(execFile)
  await using admin = await connect(server.connectionString, 'bench')
  await admin.query('create database source template template0')
  const source = onDatabase(server.connectionString, 'source')
  await restoreArchive({ connectionString: source, file: dump })
  const seconds = async (work: () => Promise<unknown>): Promise<number> => {
    const startedAt = performance.now()
    await work()
    return (performance.now() - startedAt) / 1000
  }
  const [ours, theirs] = [path.join(home, 'ours.dump'), path.join(home, 'theirs.dump')]
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] }
  for (let round = 0; round < rounds; round++) {
    for (const file of [ours, theirs]) rmSync(file, { force: true })
    times.theirs.push(await seconds(() => run(server.program('pg_dump'), ['-Fc', '--file', theirs, source])))
    times.ours.push(
      await seconds(() =>
        dumpDatabase({ connectionString: source, file: ours, now: new Date(), look: async () => null }),
      ),
    )
  }
  await admin.query('create database one template template0')
  await admin.query('create database two template template0')
  const byTool = await seconds(() =>
    run(server.program('pg_restore'), [
      '--exit-on-error',
      '--dbname',
      onDatabase(server.connectionString, 'one'),
      ours,
    ]),
  )
  const byUs = await seconds(() =>
    restoreArchive({ connectionString: onDatabase(server.connectionString, 'two'), file: ours }),
  )
  const version = (await run(server.program('pg_dump'), ['--version'])).stdout.trim()
  return [
    {
      figure: 'dump on PostgreSQL 15, same data',
      value: median(times.ours),
      unit: 's',
      n: rounds,
      peer: `${version}: ${median(times.theirs).toFixed(1)}`,
    },
    {
      figure: 'its size',
      value: statSync(ours).size / 1e6,
      unit: 'MB',
      n: 1,
      peer: `pg_dump: ${(statSync(theirs).size / 1e6).toFixed(1)}`,
    },
    {
      figure: 'restore on PostgreSQL 15 of our dump',
      value: byUs,
      unit: 's',
      n: 1,
      peer: `pg_restore: ${byTool.toFixed(1)}`,
    },
  ]
}
