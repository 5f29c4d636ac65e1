import { Problem } from '@dam/contract'
import { addJob } from '@dam/platform/jobs'
import { isForeignKeyViolation, sql, type Transaction } from '@dam/platform/database'
import { recordAudit, recordEvents } from '../events/record.ts'
import { indexAsset } from '../search/index-asset.ts'
import { ensureTags } from '../tags/tag-store.ts'

export type NewAsset = {
  ownerId: number
  sha256: string
  sizeBytes: number
  /** Already clean; see `cleanFilename`. */
  filename: string
  /** Names of the folders the file stood in, outermost first, already clean. */
  folders?: readonly string[]
  /** Collection that receives the asset, or under which the folders are made. */
  collectionId?: number | null
  label?: string
  description?: string
  tags?: readonly string[]
}

/**
 * Makes the asset `processing` together with its collections, ingest job, audit row, event and search document. The bytes
 * must be in the blob store for good before this is called.
 */
export async function createAsset(tx: Transaction, asset: NewAsset): Promise<{ id: number }> {
  const label = asset.label?.trim() || labelOf(asset.filename)
  const tags = await ensureTags(tx, asset.tags ?? [])
  const row = await tx.row<{ id: number }>(sql`
    with kept as (
      insert into blob (sha256, size_bytes) values (${asset.sha256}, ${asset.sizeBytes}) on conflict (sha256) do nothing)
    insert into asset (owner_id, sha256, size_bytes, filename, label, label_edited, description, description_edited, tags)
    values (${asset.ownerId}, ${asset.sha256}, ${asset.sizeBytes}, ${asset.filename}, ${label}, ${asset.label !== undefined},
      ${asset.description ?? ''}, ${asset.description !== undefined}, ${tags})
    returning id`)
  if (!row) throw new Error('insert returned no row')
  const { id } = row
  const folder = await findOrMakeFolders(tx, asset.ownerId, asset.collectionId ?? null, asset.folders ?? [])
  if (folder.id !== null) await placeIn(tx, folder.id, id)
  await addJob(tx, 'ingest', { assetId: id })
  await recordAudit(tx, [
    {
      actorId: asset.ownerId,
      action: 'asset.created',
      object: `asset:${id}`,
      detail: { filename: asset.filename, checksum: asset.sha256 },
    },
  ])
  await recordEvents(tx, [
    ...folder.made.map((collectionId) => ({
      kind: 'collection.changed' as const,
      actorId: asset.ownerId,
      data: { collection_id: collectionId },
    })),
    {
      kind: 'asset.created',
      assetId: id,
      actorId: asset.ownerId,
      ...(folder.id === null ? {} : { data: { collection_id: folder.id } }),
    },
  ])
  await indexAsset(tx, [id])
  return { id }
}

/** A readable title from a file name: without extension, underscores as spaces. */
export function labelOf(filename: string): string {
  const stem = filename.replace(/(?<=[^.])\.[^.\s]{1,10}$/u, '')
  return stem.replace(/_+/g, ' ').trim() || filename
}

/** Concurrent uploads of one folder make it once: the second waits for the first. Chains are walked from the root, so they cannot deadlock. */
async function findOrMakeFolders(
  tx: Transaction,
  ownerId: number,
  parentId: number | null,
  names: readonly string[],
): Promise<{ id: number | null; made: number[] }> {
  if (names.length === 0) return { id: parentId, made: [] }
  const known = await tx.row<{ id: number | null; depth: number }>(sql`
    with recursive walk (depth, id) as (
      select 0, ${parentId}::bigint
      union all
      select walk.depth + 1, c.id from walk join collection c
        on coalesce(c.parent_id, 0) = coalesce(walk.id, 0) and c.name = (${names}::text[])[walk.depth + 1])
    select id, depth from walk order by depth desc limit 1`)
  let id = known?.id ?? parentId
  const made: number[] = []
  for (const name of names.slice(known?.depth ?? 0)) {
    let row = await tx.row<{ id: number }>(sql`
      insert into collection (parent_id, name, owner_id) values (${id}, ${name}, ${ownerId})
      on conflict (coalesce(parent_id, 0), name) do nothing returning id`)
    if (row) made.push(row.id)
    else row = await tx.row(sql`select id from collection where coalesce(parent_id, 0) = ${id ?? 0} and name = ${name}`)
    if (!row) throw new Error('a collection was deleted while it was being used')
    id = row.id
  }
  return { id, made }
}

async function placeIn(tx: Transaction, collectionId: number, assetId: number): Promise<void> {
  try {
    await tx.run(
      sql`insert into collection_asset (collection_id, asset_id) values (${collectionId}, ${assetId}) on conflict do nothing`,
    )
  } catch (error) {
    if (!isForeignKeyViolation(error)) throw error
    throw new Problem(
      'collection-not-found',
      'The collection for this file does not exist any more. Choose another one.',
      { cause: error },
    )
  }
}
