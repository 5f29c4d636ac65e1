import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { migrateJobs } from '@dam/platform/jobs'
import { migrate, readMigrations } from '@dam/platform/migrate'
import { dumpSchema } from '@dam/platform/migrate/dump-schema'
import { testDatabase } from '@dam/platform/testing/database'
import { afterAll, describe, expect, test } from 'vitest'
import { ArchiveReader } from '../archive/archive-reader.ts'
import { restoreArchive } from '../archive/restore-archive.ts'
import { connect, onDatabase } from '../connect.ts'
import { compareRows } from '../restore/compare-rows.ts'
import { debianPostgres, debianPrograms } from '../testing/debian-postgres.ts'
import { addSampleRows } from '../testing/sample-rows.ts'
import { dumpDatabase } from './dump-database.ts'
import { readSchema } from './read-schema.ts'
import { rowTextSettings } from './tables.ts'

const run = promisify(execFile)
const root = mkdtempSync(path.join(tmpdir(), 'dam-dump-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let files = 0
const migrations = readMigrations(path.resolve(import.meta.dirname, '../../../../backend/migrations'))
const newFile = () => path.join(root, `${files++}.dump`)
const dump = (connectionString: string, file: string) =>
  dumpDatabase({ connectionString, file, now: new Date(), look: async () => null })

/** Everything a dump creates, as text. */
async function schemaOf(connectionString: string): Promise<string> {
  await using client = await connect(connectionString, 'test')
  await client.query(rowTextSettings)
  const { objects } = await readSchema(client)
  return objects.map(({ create }) => create).join('')
}

async function nextIds(connectionString: string): Promise<unknown> {
  await using client = await connect(connectionString, 'test')
  const { rows } = await client.query(
    `select nextval('public.event_seq') as event, nextval('public.asset_id_seq') as asset, nextval(pg_get_serial_sequence('"Odd schema"."Odd table"', 'always')) as odd, nextval(pg_get_serial_sequence('"Odd schema"."Odd table"', 'id')) as serial`,
  )
  return rows[0]
}

test('what was dumped comes back without any client program: schema, rows, jobs and the next number of each sequence', async () => {
  await using source = await testDatabase()
  await using target = await testDatabase({ empty: true })
  await addSampleRows(source.connectionString)
  const file = newFile()
  const { tables } = await dump(source.connectionString, file)
  await restoreArchive({ connectionString: target.connectionString, file })
  expect(await dumpSchema(target.connectionString)).toBe(await dumpSchema(source.connectionString))
  expect(await schemaOf(target.connectionString)).toBe(await schemaOf(source.connectionString))
  const compared = await compareRows(target.connectionString, tables)
  expect(compared.filter(({ isEqual }) => !isEqual)).toEqual([])
  const rowsOf = (table: string) => compared.find((one) => one.table === table)?.rows
  expect([rowsOf('graphile_worker._private_jobs'), rowsOf('public.schema_migration'), rowsOf('public.asset')]).toEqual([
    1,
    migrations.length,
    455,
  ])
  expect(await nextIds(target.connectionString)).toEqual(await nextIds(source.connectionString))
})

test('a row that changed, went or came is seen when rows are compared', async () => {
  await using source = await testDatabase()
  await addSampleRows(source.connectionString)
  const { tables } = await dump(source.connectionString, newFile())
  await using client = await connect(source.connectionString, 'test')
  await client.query(
    `update blob set created_at = created_at + interval '1 microsecond' where size_bytes = 17; delete from collection_asset where asset_id = 3; insert into tag (name) values ('new')`,
  )
  const unequal = (await compareRows(source.connectionString, tables))
    .filter(({ isEqual }) => !isEqual)
    .map(({ table }) => table)
  expect(unequal.toSorted()).toEqual(['public.asset_tally', 'public.blob', 'public.collection_asset', 'public.tag'])
})

test('the dump is of one moment: what is written meanwhile is not in it', async () => {
  await using source = await testDatabase()
  await addSampleRows(source.connectionString)
  const taken = await dumpDatabase({
    connectionString: source.connectionString,
    file: newFile(),
    now: new Date(),
    look: async () => {
      await using other = await connect(source.connectionString, 'test')
      await other.query(`insert into tag (name) values ('late'); delete from collection_asset`)
    },
  })
  const rowsOf = (name: string) => taken.tables.find((table) => table.name === name)?.rows
  expect([rowsOf('tag'), (rowsOf('collection_asset') ?? 0) > 100]).toEqual([0, true])
})

test('what the dump could not write is refused by name instead of being left out', async () => {
  await using source = await testDatabase()
  await using client = await connect(source.connectionString, 'test')
  await client.query('create table parent (id int) partition by range (id)')
  await expect(dump(source.connectionString, newFile())).rejects.toThrow(/table public.parent.*pg_dump/)
})

test('a cut or changed dump is said to be that', async () => {
  await using source = await testDatabase()
  await using target = await testDatabase({ empty: true })
  const file = newFile()
  await dump(source.connectionString, file)
  const bytes = readFileSync(file)
  const cut = newFile()
  writeFileSync(cut, bytes.subarray(0, bytes.length - 200))
  await expect(restoreArchive({ connectionString: target.connectionString, file: cut })).rejects.toThrow(/cut off/)
  writeFileSync(cut, Buffer.from('hello'))
  await expect(ArchiveReader.open(cut)).rejects.toThrow(/not a dump in PostgreSQL's custom format/)
})

describe.skipIf(debianPrograms === null)('with the client programs of an older PostgreSQL', () => {
  test('pg_restore lists and restores our dump into an empty database, and schema and rows are equal', async () => {
    await using server = await debianPostgres()
    const database = async (name: string) => {
      await using client = await connect(server.connectionString, 'test')
      await client.query(`create database ${name} template template0`)
      return onDatabase(server.connectionString, name)
    }
    const source = await database('source')
    await migrate({
      connectionString: source,
      app: 'backend',
      migrations,
    })
    await migrateJobs(source)
    await addSampleRows(source)
    const file = newFile()
    const { tables } = await dump(source, file)
    expect((await run(server.program('pg_restore'), ['--list', file])).stdout).toMatch(/TABLE DATA public asset \n/)

    for (const [index, jobs] of ['1', '2'].entries()) {
      const target = await database(`dam_db${index}`)
      await run(server.program('pg_restore'), ['--exit-on-error', '--jobs', jobs, '--dbname', target, file])
      expect(await dumpSchema(target)).toBe(await dumpSchema(source))
      expect(await schemaOf(target)).toBe(await schemaOf(source))
      expect((await compareRows(target, tables)).filter(({ isEqual }) => !isEqual)).toEqual([])
    }

    // And the other way round: the file of a real pg_dump, whatever its compression says, through our reader.
    for (const level of ['0', '6']) {
      const theirs = newFile()
      await run(server.program('pg_dump'), ['-Fc', `--compress=${level}`, '--file', theirs, source])
      const target = await database(`theirs${level}`)
      await restoreArchive({ connectionString: target, file: theirs })
      expect(await dumpSchema(target)).toBe(await dumpSchema(source))
      expect(await schemaOf(target)).toBe(await schemaOf(source))
      expect((await compareRows(target, tables)).filter(({ isEqual }) => !isEqual)).toEqual([])
    }
  }, 120000)

  test('a dump of the built-in PostgreSQL goes into the older one', async () => {
    await using server = await debianPostgres()
    await using source = await testDatabase()
    await addSampleRows(source.connectionString)
    const file = newFile()
    const { tables } = await dump(source.connectionString, file)
    await run(server.program('pg_restore'), ['--exit-on-error', '--dbname', server.connectionString, file])
    expect((await compareRows(server.connectionString, tables)).filter(({ isEqual }) => !isEqual)).toEqual([])
  }, 120000)
})
