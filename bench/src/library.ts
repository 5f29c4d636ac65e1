import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { indexAsset } from '@dam/backend/src/search/index-asset.ts'
import { openDatabase, raw, sql, type Database } from '@dam/platform/database'
import { startPostgres } from '@dam/platform/postgres/start'
import { root } from './config.ts'
import { makeUnique, basePhotos } from './photos.ts'
import { dataDirectory, startProduct, type Product } from './product.ts'
import { createRandom, type Random } from './random.ts'
import { inParallel, uploadInOneRequest } from './upload.ts'
import { tags as allTags, vocabulary } from './words.ts'

/** Raise it when the rows made here, or the search documents of the product, change: kept libraries are made again. */
const libraryVersion = 1
const batchRows = 5_000
const pictureCount = 48

/**
 * The data directory of a library with that many assets; made on the first use and kept. `withPictures`: every asset
 * shows one of 48 photos that went through ingest, so that thumbnails can be fetched.
 */
export async function library(rows: number, options: { withPictures: boolean }): Promise<string> {
  const name = `library-${rows}${options.withPictures ? '-pictures' : ''}`
  const stamp = stampOf(rows, options.withPictures)
  const kept = dataDirectory(name, { fresh: false })
  const stampFile = path.join(kept, 'bench-library')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return kept
  console.log(`making a library of ${rows.toLocaleString('en')} assets; it is kept in ${kept}`)
  const startedAt = performance.now()
  const dataDir = dataDirectory(name, { fresh: true })
  await makeEmpty(dataDir, options.withPictures ? ingestPictures : async () => undefined)
  // Only the database from here on: nothing of the product should start to work on what it finds half made.
  await using postgres = await startPostgres({
    dataDir,
    log: { info: () => undefined, warn: (message) => console.log(message) },
  })
  const database = openDatabase({
    connectionString: postgres.connectionString,
    applicationName: 'dam bench',
    maxConnections: 3,
    statementTimeoutMs: 900_000,
  })
  try {
    await fill(database, rows)
  } finally {
    await database.end()
  }
  writeFileSync(stampFile, stamp)
  console.log(`made in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  return kept
}

/** What a kept library depends on; another stamp means that it is made again. */
function stampOf(rows: number, withPictures: boolean): string {
  const hash = createHash('sha256').update(`${libraryVersion} ${rows} ${withPictures}`)
  const migrations = path.join(root, 'backend', 'migrations')
  for (const file of readdirSync(migrations).toSorted()) hash.update(readFileSync(path.join(migrations, file)))
  return hash.digest('hex')
}

async function makeEmpty(dataDir: string, prepare: (product: Product) => Promise<void>): Promise<void> {
  await using product = await startProduct({ dataDir })
  await prepare(product)
}

async function ingestPictures({ client }: Product): Promise<void> {
  const photos = await basePhotos()
  const upload = uploadInOneRequest(client)
  await inParallel(Array.from({ length: pictureCount }), 4, (_, index) => {
    const photo = photos[index % photos.length]
    if (!photo) throw new Error('there are no photos')
    return upload({ name: `${index}-${photo.name}`, bytes: makeUnique(photo.bytes) })
  })
  for (let tries = 0; ; tries++) {
    const { count } = await client.json<{ count: number }>('GET', '/api/v4/dam/assets/?preview_state=ready&page_size=1')
    if (count >= pictureCount) return
    if (tries > 600) throw new Error(`Only ${count} of ${pictureCount} photos have previews after a minute.`)
    await sleep(100)
  }
}

type Picture = {
  sha256: string
  size_bytes: number
  width: number
  height: number
  placeholder: string
  colour: string
}

async function fill(database: Database, rows: number): Promise<void> {
  const indexes = await dropIndexes(database)
  await database.run(
    sql`insert into account (username, password_hash, role) select 'editor' || n, '!', 'editor' from generate_series(1, 20) n`,
  )
  await database.run(sql`insert into tag (name) select unnest(${allTags}::text[]) on conflict do nothing`)
  const owners = (await database.rows<{ id: number }>(sql`select id from account order by id`)).map(({ id }) => id)
  const pictures = await database.rows<Picture>(
    sql`select sha256, size_bytes, width, height, placeholder, colour from asset where preview_state = 'ready' order by id`,
  )
  const random = createRandom(42)
  const now = Date.now()
  const batches = Array.from({ length: Math.ceil(rows / batchRows) }, (_, index) => index)
  // Random numbers are drawn in order, so that every run makes the same library.
  const made = batches.map(
    (batch) => () =>
      makeRows({
        random,
        first: batch * batchRows,
        count: Math.min(batchRows, rows - batch * batchRows),
        rows,
        owners,
        pictures,
        now,
      }),
  )
  await inParallel(made, 2, (make) => insertBatch(database, make()))
  await database.transaction(async (tx) => {
    await tx.run(sql`set local maintenance_work_mem = '1GB'`)
    for (const definition of indexes) await tx.run(raw(definition))
    // The janitor does this in time.
    await tx.run(
      sql`with spread as (delete from asset_tally returning scope, key, delta) insert into asset_tally (scope, key, delta) select scope, key, sum(delta) from spread group by scope, key`,
    )
  })
  for (const table of ['asset', 'asset_search', 'asset_embedded', 'asset_tally', 'blob', 'tag'])
    await database.run(raw(`vacuum (analyze) ${table}`))
  await database.run(raw('checkpoint'))
}

/** Building an index once is far cheaper than growing it by a million rows. Returns their definitions. */
async function dropIndexes(database: Database): Promise<string[]> {
  const found = await database.rows<{ name: string; definition: string }>(sql`
    select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i where i.indrelid in ('asset'::regclass, 'asset_search'::regclass, 'asset_embedded'::regclass) and not i.indisunique`)
  for (const { name } of found) await database.run(raw(`drop index ${name}`))
  return found.map(({ definition }) => definition)
}

type Row = {
  owner: number
  sha256: string
  size: number
  filename: string
  label: string
  description: string
  tags: string
  mime: string
  type: string
  width: number | null
  height: number | null
  placeholder: string | null
  colour: string | null
  captured: string | null
  added: string
  fields: string
}

const kinds = [
  { share: 0.8, type: 'image', mime: 'image/jpeg', extension: 'jpg' },
  { share: 0.1, type: 'document', mime: 'application/pdf', extension: 'pdf' },
  { share: 0.06, type: 'video', mime: 'video/mp4', extension: 'mp4' },
  { share: 0.02, type: 'audio', mime: 'audio/mpeg', extension: 'mp3' },
  { share: 0.02, type: 'other', mime: 'application/octet-stream', extension: 'bin' },
] as const
const cameras = [
  ['Canon', 'EOS R5'],
  ['NIKON CORPORATION', 'NIKON Z 8'],
  ['SONY', 'ILCE-7M4'],
  ['FUJIFILM', 'X-T5'],
  ['Apple', 'iPhone 15 Pro'],
  ['Leica Camera AG', 'LEICA Q3'],
] as const
const shapes = [
  [4032, 3024],
  [3024, 4032],
  [6000, 4000],
  [4000, 6000],
  [3000, 3000],
  [1920, 1080],
] as const

type Making = {
  random: Random
  first: number
  count: number
  rows: number
  owners: readonly number[]
  pictures: readonly Picture[]
  now: number
}

function makeRows({ random, first, count, rows, owners, pictures, now }: Making): Row[] {
  const words = (least: number, most: number): string =>
    Array.from({ length: random.between(least, most) }, () => vocabulary[random.zipf(vocabulary.length)]).join(' ')
  return Array.from({ length: count }, (_, index): Row => {
    const number = first + index
    const draw = random.next()
    let sum = 0
    const kind = pictures.length > 0 ? kinds[0] : (kinds.find(({ share }) => (sum += share) > draw) ?? kinds[0])
    const isPicture = kind.type === 'image' || kind.type === 'video'
    const picture = pictures[random.below(Math.max(1, pictures.length))]
    const shape = random.pick(shapes)
    // Five years of uploads, the last row the newest.
    const added = now - Math.round(((rows - number) / rows) * 5 * 365 * 86_400_000) - random.below(60_000)
    const captured = isPicture && random.next() < 0.8 ? added - random.below(400 * 86_400_000) : null
    const label = words(2, 4)
    const [make, model] = random.pick(cameras)
    return {
      owner: random.pick(owners),
      sha256: picture?.sha256 ?? createHash('sha256').update(`bench ${number}`).digest('hex'),
      size: picture?.size_bytes ?? random.between(50_000, 12_000_000),
      filename:
        random.next() < 0.5
          ? `IMG_${String(number).padStart(7, '0')}.${kind.extension}`
          : `${label.replaceAll(' ', '_')}.${kind.extension}`,
      label,
      description: random.next() < 0.6 ? words(6, 24) : '',
      tags: [...new Set(Array.from({ length: random.between(1, 8) }, () => allTags[random.zipf(allTags.length)]))].join(
        '\u001f',
      ),
      mime: kind.mime,
      type: kind.type,
      width: picture?.width ?? (isPicture ? shape[0] : null),
      height: picture?.height ?? (isPicture ? shape[1] : null),
      placeholder:
        picture?.placeholder ??
        (isPicture ? createHash('sha256').update(String(number)).digest().subarray(0, 21).toString('base64') : null),
      colour:
        picture?.colour ??
        (isPicture
          ? `#${random
              .below(2 ** 24)
              .toString(16)
              .padStart(6, '0')}`
          : null),
      captured: captured === null ? null : new Date(captured).toISOString(),
      added: new Date(added).toISOString(),
      fields: JSON.stringify(
        captured === null
          ? {}
          : {
              camera_make: make,
              camera_model: model,
              iso: random.pick([100, 200, 400, 800]),
              aperture: random.pick([1.8, 2.8, 4, 8]),
              city: vocabulary[random.zipf(400)],
            },
      ),
    }
  })
}

async function insertBatch(database: Database, rows: readonly Row[]): Promise<void> {
  const column = <K extends keyof Row>(name: K): Row[K][] => rows.map((row) => row[name])
  await database.transaction(async (tx) => {
    await tx.run(sql`set local synchronous_commit = off`)
    await tx.run(
      sql`insert into blob (sha256, size_bytes) select * from unnest(${column('sha256')}::text[], ${column('size')}::bigint[]) on conflict do nothing`,
    )
    const inserted = await tx.rows<{ id: number }>(sql`
      insert into asset (owner_id, sha256, size_bytes, filename, label, description, tags, mime_type, type, status, preview_state, preview_version,
        width, height, placeholder, colour, captured_at, sort_date, date_added, date_modified)
      select owner, sha256, size, filename, label, description, string_to_array(tags, E'\x1f'), mime, type, 'ready',
        case when placeholder is null then 'unavailable' else 'ready' end, case when placeholder is null then 0 else 1 end,
        width, height, placeholder, colour, captured, coalesce(captured, added), added, added
      from unnest(${column('owner')}::bigint[], ${column('sha256')}::text[], ${column('size')}::bigint[], ${column('filename')}::text[], ${column('label')}::text[],
        ${column('description')}::text[], ${column('tags')}::text[], ${column('mime')}::text[], ${column('type')}::text[], ${column('width')}::int[], ${column('height')}::int[],
        ${column('placeholder')}::text[], ${column('colour')}::text[], ${column('captured')}::timestamptz[], ${column('added')}::timestamptz[])
        with ordinality as t (owner, sha256, size, filename, label, description, tags, mime, type, width, height, placeholder, colour, captured, added, position)
      order by position
      returning id`)
    const ids = inserted.map(({ id }) => id)
    await tx.run(
      sql`insert into asset_embedded (asset_id, fields) select * from unnest(${ids}::bigint[], ${column('fields')}::jsonb[])`,
    )
    await indexAsset(tx, ids)
  })
}
