import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase, sql, type Database } from '@dam/platform/database'
import { testDatabase, type TestDatabase } from '@dam/platform/testing/database'
import { createAsset } from '../assets/create-asset.ts'
import { testConverter, type TestConverter } from '../testing/converter.ts'
import { quarters } from '../testing/pictures.ts'
import { failAbandoned, ingestTask, requeueUnavailable } from './ingest-task.ts'
import { ingest, type PipelineDependencies } from './pipeline.ts'

let own: TestDatabase
let database: Database
let converter: TestConverter
let deps: PipelineDependencies
let ownerId: number

beforeAll(async () => {
  own = await testDatabase()
  database = openDatabase({ connectionString: own.connectionString, applicationName: 'test', maxConnections: 6 })
  converter = await testConverter()
  deps = {
    database,
    converter: converter.pool,
    blobPath: (sha256) => join(converter.folder, sha256),
    renditionsFolder: join(converter.folder, 'renditions'),
    scratchFolder: converter.scratch,
    worker: 'test',
    now: () => new Date(),
  }
  const owner = await database.row<{ id: number }>(
    sql`insert into account (username, password_hash, role) values ('owner', 'x', 'editor') returning id`,
  )
  ownerId = owner?.id ?? 0
})
afterAll(async () => {
  await converter[Symbol.asyncDispose]()
  await database.end()
  await own[Symbol.asyncDispose]()
})

async function upload(
  filename: string,
  bytes: Buffer | string,
  given: { label?: string; tags?: string[] } = {},
): Promise<number> {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  await writeFile(deps.blobPath(sha256), bytes)
  const { id } = await database.transaction((tx) =>
    createAsset(tx, { ownerId, sha256, sizeBytes: Buffer.byteLength(bytes), filename, ...given }),
  )
  return id
}

type Row = Record<string, unknown> & { sha256: string; tags: string[]; revision: number }
const assetOf = async (id: number): Promise<Row> =>
  (await database.row<Row>(sql`select * from asset where id = ${id}`)) as Row
const stagesOf = (id: number) =>
  database.rows<{
    stage: string
    outcome: string
    error: string | null
    attempt: number
    detail: Record<string, unknown>
  }>(sql`select stage, outcome, error, attempt, detail from ingest_stage where asset_id = ${id} order by id`)
const lastEvent = async (id: number): Promise<string | undefined> =>
  (await database.row<{ kind: string }>(sql`select kind from event where asset_id = ${id} order by id desc limit 1`))
    ?.kind

const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">
  <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Harbour at dawn</rdf:li></rdf:Alt></dc:title><dc:description><rdf:Alt><rdf:li xml:lang="x-default">Boats &lt;b&gt;</rdf:li></rdf:Alt></dc:description>
  <dc:subject><rdf:Bag><rdf:li>Sea</rdf:li><rdf:li>boat</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>`
const photo = (): Promise<Buffer> =>
  quarters(1600, 1000)
    .jpeg()
    .withExif({
      IFD0: { Make: 'Canon', Model: 'EOS', Orientation: '1' },
      IFD2: { DateTimeOriginal: '2022:08:22 20:30:46', OffsetTimeOriginal: '+02:00' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1', GPSLongitudeRef: 'W', GPSLongitude: '0/1 7/1 30/1' },
    })
    .withXmp(xmp)
    .toBuffer()

describe('a photo', () => {
  test('is ready with its metadata, previews, tags, search document, timeline and event in one go', async () => {
    const id = await upload('IMG_0001.JPG', await photo())
    const before = await assetOf(id)
    await ingest({ assetId: id, attempt: 1 }, deps)
    const asset = await assetOf(id)
    expect(asset).toMatchObject({
      status: 'ready',
      status_reason: null,
      preview_state: 'ready',
      preview_reason: null,
      preview_version: 1,
      mime_type: 'image/jpeg',
      type: 'image',
      width: 1600,
      height: 1000,
      label: 'Harbour at dawn',
      description: 'Boats <b>',
      tags: ['Sea', 'boat'],
      captured_offset: '+02:00',
      captured_at: new Date('2022-08-22T18:30:46Z'),
      sort_date: new Date('2022-08-22T18:30:46Z'),
    })
    expect(asset.revision).toBe(before.revision + 1)
    const embedded = await database.row<{ fields: object; raw: object }>(
      sql`select fields, raw from asset_embedded where asset_id = ${id}`,
    )
    expect(embedded?.fields).toMatchObject({
      camera_make: 'Canon',
      latitude: 51.5,
      longitude: -0.125,
      keywords: ['Sea', 'boat'],
      captured_at: '2022-08-22T20:30:46',
    })
    expect(embedded?.raw).toMatchObject({ 'IFD0:Make': 'Canon' })
    const renditions = await database.rows<{ preset: string; file: string; size_bytes: number }>(
      sql`select preset, file, size_bytes from rendition where sha256 = ${asset.sha256} order by preset`,
    )
    expect(renditions.map(({ preset }) => preset)).toEqual(['preview', 'thumbnail'])
    for (const { file, size_bytes } of renditions)
      expect((await stat(join(deps.renditionsFolder, file))).size).toBe(size_bytes)
    expect((await stagesOf(id)).map(({ stage, outcome }) => `${stage} ${outcome}`)).toEqual([
      'identify done',
      'metadata done',
      'previews done',
      'index done',
    ])
    expect(await lastEvent(id)).toBe('asset.ready')
    expect(
      await database.row(
        sql`select count(*) as n from asset_search where asset_id = ${id} and document @@ to_tsquery('simple', 'dawn')`,
      ),
    ).toEqual({ n: 1 })
    expect(await readdir(deps.scratchFolder)).toEqual([])
  })

  test('run through ingest again is the same, and what a person wrote stays', async () => {
    const id = await upload('IMG_0002.JPG', await photo(), { label: 'Mine', tags: ['own'] })
    await ingest({ assetId: id, attempt: 1 }, deps)
    expect(await assetOf(id)).toMatchObject({ label: 'Mine', tags: ['own'], description: 'Boats <b>' })
    await database.run(sql`update asset set tags = '{}' where id = ${id}`)
    await ingest({ assetId: id, attempt: 1 }, deps)
    const again = await assetOf(id)
    expect(again).toMatchObject({ label: 'Mine', tags: [], status: 'ready' })
    expect(await database.row(sql`select count(*) as n from rendition where sha256 = ${again.sha256}`)).toEqual({
      n: 2,
    })
  })

  test('gets its lost files back', async () => {
    const id = await upload('IMG_0003.JPG', await quarters(700, 500).jpeg().toBuffer())
    await ingest({ assetId: id, attempt: 1 }, deps)
    const { sha256 } = await assetOf(id)
    const file = await database.row<{ file: string }>(
      sql`select file from rendition where sha256 = ${sha256} and preset = 'thumbnail'`,
    )
    await rm(join(deps.renditionsFolder, file?.file ?? ''))
    await ingest({ assetId: id, from: 'previews', attempt: 1 }, deps)
    expect((await stat(join(deps.renditionsFolder, file?.file ?? ''))).size).toBeGreaterThan(0)
    expect(await assetOf(id)).toMatchObject({ status: 'ready', mime_type: 'image/jpeg', width: 700 })
    expect((await stagesOf(id)).map(({ stage }) => stage)).toEqual([
      'identify',
      'metadata',
      'previews',
      'index',
      'previews',
      'index',
    ])
  })
})

describe('other files', () => {
  test('a kind without previews is ready and says why there is none', async () => {
    const id = await upload('data.bin', Buffer.from([1, 2, 3, 0, 255, 254]))
    await ingest({ assetId: id, attempt: 1 }, deps)
    expect(await assetOf(id)).toMatchObject({
      status: 'ready',
      preview_state: 'unavailable',
      type: 'other',
      preview_reason: expect.stringContaining('no preview for this kind of file'),
    })
  })

  test('an empty file has failed, with the reason', async () => {
    const id = await upload('empty.jpg', '')
    await ingest({ assetId: id, attempt: 1 }, deps)
    expect(await assetOf(id)).toMatchObject({
      status: 'failed',
      preview_state: 'failed',
      status_reason: expect.stringContaining('no bytes'),
    })
    expect(await stagesOf(id)).toMatchObject([
      { stage: 'identify', outcome: 'failed', detail: { code: 'empty-file' } },
      { stage: 'index', outcome: 'done' },
    ])
    expect(await lastEvent(id)).toBe('asset.failed')
  })

  test('a file whose name lies is what its bytes are, and says so', async () => {
    const id = await upload(
      'holiday.mp4',
      await sharp({ create: { width: 10, height: 10, channels: 3, background: '#123456' } })
        .png()
        .toBuffer(),
    )
    await ingest({ assetId: id, attempt: 1 }, deps)
    expect(await assetOf(id)).toMatchObject({
      mime_type: 'image/png',
      type: 'image',
      colour: expect.stringMatching(/^#[0-9a-f]{6}$/),
    })
    expect(await database.row(sql`select fields from asset_embedded where asset_id = ${id}`)).toMatchObject({
      fields: { detected_extension: 'png' },
    })
    expect((await stagesOf(id))[0]?.detail).toMatchObject({ claimed_extension: 'mp4', detected_extension: 'png' })
  })

  test('metadata with control characters and lone surrogates is stored', async () => {
    const id = await upload(
      'odd.svg',
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>\u202egpj.exe \u0007 &#55357;</title></svg>',
    )
    await ingest({ assetId: id, attempt: 1 }, deps)
    expect((await assetOf(id))['status']).toBe('ready')
  })

  test('an original that is gone is a failure that names the way out', async () => {
    const id = await upload('gone.jpg', await quarters(30, 30).jpeg({ quality: 31 }).toBuffer())
    await rm(deps.blobPath((await assetOf(id)).sha256))
    await ingest({ assetId: id, attempt: 1 }, deps)
    expect(await assetOf(id)).toMatchObject({ status: 'failed', status_reason: expect.stringContaining('backup') })
  })
})

test('a preview that lacked a tool is made when the tool has come', async () => {
  const id = await upload(
    'film.mp4',
    Buffer.from('00000018667479706d703432000000006d70343269736f6d00000008667265650000000c6d64617400000000', 'hex'),
  )
  const without = await testConverter({ tools: {}, blobsFolder: converter.folder })
  await ingest({ assetId: id, attempt: 1 }, { ...deps, converter: without.pool, scratchFolder: without.scratch })
  await without[Symbol.asyncDispose]()
  expect(await assetOf(id)).toMatchObject({
    status: 'ready',
    preview_state: 'unavailable',
    preview_reason: expect.stringContaining('ffmpeg'),
  })
  expect(await requeueUnavailable(database, 'vipsthumbnail')).toBe(0)
  expect(await requeueUnavailable(database, 'ffmpeg')).toBe(1)
  expect(await requeueUnavailable(database, 'ffmpeg')).toBe(1)
  const jobs = await database.rows(sql`select key from graphile_worker.jobs where key = ${`ingest:${id}:previews`}`)
  expect(jobs).toHaveLength(1)
})

test('after its last attempt a file that breaks the pipeline has failed, before that it is tried again', async () => {
  const id = await upload('poison.jpg', await quarters(31, 31).jpeg().toBuffer())
  const broken = {
    ...deps,
    converter: { ...deps.converter, identify: () => Promise.reject(new Error('disk is on fire')) },
  }
  const task = ingestTask(broken)
  await expect(task({ assetId: id }, { attempts: 1, max_attempts: 3 })).rejects.toThrow('disk is on fire')
  expect((await assetOf(id))['status']).toBe('processing')
  await expect(task({ assetId: id }, { attempts: 3, max_attempts: 3 })).rejects.toThrow('disk is on fire')
  expect(await assetOf(id)).toMatchObject({
    status: 'failed',
    status_reason: expect.stringContaining('disk is on fire'),
  })
  expect(await lastEvent(id)).toBe('asset.failed')
})

test('an asset whose worker died on every attempt has failed when the next worker starts, one that still waits has not', async () => {
  const dead = await upload('dead.jpg', await quarters(32, 32).jpeg().toBuffer())
  const waiting = await upload('waiting.jpg', await quarters(33, 33).jpeg().toBuffer())
  await database.run(
    sql`update graphile_worker._private_jobs set attempts = max_attempts where (payload ->> 'assetId')::bigint = ${dead}`,
  )
  expect(await failAbandoned(deps)).toBe(1)
  expect(await assetOf(dead)).toMatchObject({ status: 'failed', status_reason: expect.stringContaining('died') })
  expect((await assetOf(waiting))['status']).toBe('processing')
  expect(await failAbandoned(deps)).toBe(0)
})

test('an asset that was deleted meanwhile is no error', async () => {
  await mkdir(deps.renditionsFolder, { recursive: true })
  await expect(ingest({ assetId: 999_999, attempt: 1 }, deps)).resolves.toBeUndefined()
})
