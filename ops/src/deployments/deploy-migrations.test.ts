import pg from 'pg'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installMiniature } from '../testing/miniature-release.ts'
import { quickPolicy, scratchDeployer } from '../testing/scratch-deployer.ts'
import { type ScratchHost, scratchHost } from '../testing/scratch-host.ts'
import type { Deployment } from './deployment.ts'
import { decideWaiting, requestDeploy, requestRollback } from './request-deployment.ts'
import { runDeployment } from './run-deployment.ts'

const migration = (runs: 'yes' | 'no', up: string, down: string): string =>
  `-- previous-release-runs: ${runs} (a test)\n-- up\n${up}\n-- down\n${down}\n`
const first = { '0001-first.sql': migration('yes', 'create table note (id int);', 'drop table note;') }
const expand = {
  ...first,
  '0002-colour.sql': migration('yes', 'alter table note add colour text;', 'alter table note drop column colour;'),
}
const contract = {
  ...expand,
  '0003-no-id.sql': migration('no', 'alter table note drop column id;', 'alter table note add id int;'),
}

let database: TestDatabase
let host: ScratchHost
beforeAll(async () => {
  database = await testDatabase({ empty: true })
  host = await scratchHost({ databaseUrl: database.connectionString })
  host.startKeeper()
})
afterAll(async () => {
  await host[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const deps = () =>
  scratchDeployer(host.hostDir, host.store, { databaseUrl: database.connectionString, policy: quickPolicy(1_000) })

async function deploy(tag: string, migrations: Record<string, string>): Promise<Deployment> {
  installMiniature(host.hostDir, host.store, { tag, migrations })
  const { id, state, ...rest } = await runDeployment(deps(), requestDeploy(deps(), tag).id)
  if (state !== 'waiting-for-person') return { id, state, ...rest }
  decideWaiting(deps(), { kind: 'accept', reason: 'not what is tried here', bakeMs: 0 })
  return runDeployment(deps(), id)
}

async function query(text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/** How many rows, and a digest of all of them. */
const notes = () =>
  query(`select count(*)::int as rows, md5(string_agg(id || colour, ',' order by id)) as digest from note`)
let written: Record<string, unknown>[] = []

test('a release expands the schema, a rollback keeps what was written since, and a contract waits for its turn', async () => {
  expect(await deploy('v1.0.0', first)).toMatchObject({ state: 'good', data: { schemaBefore: 0 } })
  const second = await deploy('v1.1.0', expand)
  expect(second).toMatchObject({
    state: 'good',
    data: { schemaBefore: 1, backupId: expect.stringContaining('backup-') },
  })
  await query(`insert into note (id, colour) select n, 'red ' || n from generate_series(1, 1000) n`)
  written = await notes()
  expect(written).toMatchObject([{ rows: 1000 }])
  const refused = await deploy('v1.2.0', contract)
  expect(refused).toMatchObject({ state: 'failed', because: expect.stringContaining('two steps') })

  const back = requestRollback(deps(), { to: null, because: 'a test' })
  expect(await runDeployment(deps(), back.deployment.id)).toMatchObject({ state: 'verified', tag: 'v1.0.0' })
  expect(await notes()).toEqual(written)
  // Asked again it does not go forth again: there is nothing good before, and only a person names what was left.
  expect(() => requestRollback(deps(), { to: null, because: 'a test' })).toThrow('no earlier release that was good')
}, 240_000)

test('going back further than a promise reaches undoes exactly what is in the way', async () => {
  await deploy('v1.3.0', expand)
  await deploy('v1.4.0', {
    ...expand,
    '0003-size.sql': migration('yes', 'alter table note add size int;', 'alter table note drop column size;'),
  })
  // 0003 came with v1.4.0 and promises only v1.3.0; v1.1.0 does not run on it.
  const back = requestRollback(deps(), { to: 'v1.0.0', because: 'far back' })
  const ended = await runDeployment(deps(), back.deployment.id)
  expect(ended).toMatchObject({ state: 'verified', tag: 'v1.0.0', data: { rung: 'down' } })
  expect(await query('select number from schema_migration order by number')).toEqual([{ number: 1 }, { number: 2 }])
  expect(await notes()).toEqual(written)
}, 240_000)
