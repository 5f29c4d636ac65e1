import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Logger, runOnce } from 'graphile-worker'
import type { AssetSummary, Role } from '@dam/contract'
import { openDatabase, sql, type Database } from '@dam/platform/database'
import { migrateJobs } from '@dam/platform/jobs'
import { openLog } from '@dam/platform/log'
import { noMaintenance } from '@dam/platform/maintenance-file'
import { testDatabase } from '@dam/platform/testing/database'
import { collectionHandlers } from '../../collections/collection-routes.ts'
import type { Handlers } from '../../http/handler.ts'
import { createOrigins } from '@dam/platform/http/origin'
import { serve } from '../../http/serve.ts'
import { createSignals } from '../../operations/signals.ts'
import type { Principal } from '../../people/access.ts'
import { insertAccount } from '../../people/account-store.ts'
import { createAuthenticator } from '../../people/authenticate.ts'
import { createSession } from '../../people/session-store.ts'
import { searchHandlers } from '../../search/search-routes.ts'
import { indexAsset } from '../../search/index-asset.ts'
import { tagHandlers } from '../../tags/tag-routes.ts'
import { taskHandlers } from '../../tasks/task-routes.ts'
import { taskList } from '../../tasks/task-list.ts'
import type { ReleaseBlobs } from '../../trash/empty-trash.ts'
import { trashHandlers } from '../../trash/trash-routes.ts'
import { assetHandlers } from '../asset-routes.ts'
import { createAsset } from '../create-asset.ts'
import { createSummaryCache } from '../summary-cache.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- a test reads answers of every shape
export type Answer = { status: number; headers: Headers; body: any }

export type Library = AsyncDisposable & {
  url: string
  database: Database
  people: Record<Role, Principal>
  /** Sends a request as somebody of this role, or as nobody. */
  ask(
    role: Role | null,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
  /** An asset as ingest leaves it behind; of bytes of its own unless told otherwise. */
  add(asset?: Partial<NewAsset>): Promise<number>
  /** Runs the jobs that wait, but for ingest. */
  work(release?: ReleaseBlobs): Promise<void>
}

type NewAsset = {
  filename: string
  label: string
  description: string
  tags: string[]
  type: AssetSummary['type']
  sizeBytes: number
  sha256: string
  collectionId: number
  sortDate: string
  dateAdded: string
  fields: Record<string, unknown>
}

/** The API of the library over real HTTP, on a database of its own. */
export async function startLibrary(): Promise<Library> {
  const own = await testDatabase()
  await migrateJobs(own.connectionString)
  const folder = await mkdtemp(path.join(tmpdir(), 'dam-library-'))
  const database = openDatabase({
    connectionString: own.connectionString,
    applicationName: 'dam test',
    maxConnections: 10,
  })
  const log = openLog({ directory: folder, process: 'web', level: 'warn', stdout: false })
  const authenticator = createAuthenticator({
    database,
    cookieName: 'dam_session',
    sessionDays: 1,
    onError: (error) => log.error('unexpected', { error }),
  })
  const signals = createSignals({
    release: { version: 'test', commit: 'test', tag: null },
    dataDir: folder,
    activeUsers: () => 0,
    pool: () => database.stats(),
    cacheUp: () => true,
    queue: async () => ({ waiting: 0, running: 0, failed: 0, oldestSeconds: 0 }),
    satisfaction: async () => ({ ratio: null, people: 0 }),
    databaseUp: async () => true,
    storageUp: async () => true,
    workers: async () => [],
  })
  const summaries = createSummaryCache(() => undefined, 50)
  const handlers: Partial<Handlers> = {
    ...assetHandlers({ database, summaries }),
    ...searchHandlers({ database, summaries, signals }),
    ...tagHandlers({ database }),
    ...collectionHandlers({ database, summaries }),
    ...trashHandlers({ database, summaries }),
    ...taskHandlers({ database }),
  }
  let port = 0
  const app = serve({
    handlers: handlers as Handlers,
    database,
    authenticator,
    signals,
    log,
    isHttps: false,
    trustProxy: false,
    isStopping: () => false,
    maintenance: () => noMaintenance,
    origins: createOrigins({ publicUrl: undefined, host: '127.0.0.1', port: () => port }),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  port = typeof address === 'object' && address ? address.port : 0
  const url = `http://127.0.0.1:${port}`

  const tokens: Partial<Record<Role, string>> = {}
  const people: Partial<Record<Role, Principal>> = {}
  for (const role of ['viewer', 'editor', 'administrator'] as const) {
    const account = await database.transaction((tx) =>
      insertAccount(tx, { username: role, displayName: `The ${role}`, email: null, passwordHash: 'none', role }),
    )
    tokens[role] = await createSession(database, {
      accountId: account.id,
      kind: 'token',
      label: 'test',
      lifetimeDays: 1,
    })
    people[role] = { id: account.id, username: role, displayName: `The ${role}`, role, sessionId: 0 }
  }
  const everybody = people as Record<Role, Principal>

  return {
    url,
    database,
    people: everybody,
    ask: async (role, method, target, body, headers = {}) => {
      const response = await fetch(target.startsWith('http') ? target : `${url}/api/v4${target}`, {
        method,
        headers: {
          ...(role === null ? {} : { authorization: `Token ${tokens[role]}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
    },
    add: (asset = {}) =>
      database.transaction(async (tx) => {
        const { id } = await createAsset(tx, {
          ownerId: everybody.editor.id,
          sha256: asset.sha256 ?? createHash('sha256').update(randomUUID()).digest('hex'),
          sizeBytes: asset.sizeBytes ?? 1000,
          filename: asset.filename ?? 'picture.jpg',
          ...(asset.label === undefined ? {} : { label: asset.label }),
          ...(asset.description === undefined ? {} : { description: asset.description }),
          ...(asset.collectionId === undefined ? {} : { collectionId: asset.collectionId }),
          tags: asset.tags ?? [],
        })
        await tx.run(sql`
          update asset set status = 'ready', type = ${asset.type ?? 'image'}, mime_type = 'image/jpeg', width = 600, height = 400,
            date_added = coalesce(${asset.dateAdded ?? null}::timestamptz, date_added),
            sort_date = coalesce(${asset.sortDate ?? null}::timestamptz, sort_date), captured_at = ${asset.sortDate ?? null}::timestamptz
          where id = ${id}`)
        if (asset.fields)
          await tx.run(
            sql`insert into asset_embedded (asset_id, fields) values (${id}, ${JSON.stringify(asset.fields)}::jsonb)`,
          )
        await indexAsset(tx, [id])
        return id
      }),
    work: async (release = async () => undefined) => {
      await runOnce({
        pgPool: database.pool,
        taskList: taskList({ database, releaseBlobs: release }),
        noHandleSignals: true,
        logger: new Logger(() => () => undefined),
        preset: { worker: { schema: 'graphile_worker' } },
      })
      // It may end before a failed job was given back.
      const isHeld = sql`select from graphile_worker._private_jobs where locked_at is not null limit 1`
      while ((await database.row(isHeld)) !== undefined) await sleep(5)
    },
    [Symbol.asyncDispose]: async () => {
      app.server.closeAllConnections()
      await app.close()
      await database.end()
      await own[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
