import { sql, type Querier, type Sql, type Transaction } from '@dam/platform/database'

export type CollectionRow = {
  id: number
  name: string
  path: string
  parent: number | null
  asset_count: number
  createdAt: Date
}

// Members in the trash are few and found from there; all others are counted by their tally.
const counts = (where: Sql): Sql => sql`
  select t.id, t.name, array_to_string(t.names, '/') as path, t.parent_id as parent, t.created_at as "createdAt",
    coalesce((select sum(y.delta) from asset_tally y where y.scope = 'collection' and y.key = t.id::text), 0)::bigint
      - coalesce(trashed.members, 0) as asset_count
  from tree t left join (
    select m.collection_id, count(*) as members from asset a join collection_asset m on m.asset_id = a.id
    where a.trashed_at is not null group by m.collection_id) trashed on trashed.collection_id = t.id
  where ${where}`

/** All collections in tree order: each after its parent, siblings by name. */
export const listCollections = (
  querier: Querier,
  limit: number,
  offset: number,
): Promise<(CollectionRow & { total: number })[]> =>
  querier.rows(sql`
    with recursive tree as (
      select c.id, c.name, c.parent_id, c.created_at, array[c.name collate dam_natural] as names from collection c where c.parent_id is null
      union all
      select c.id, c.name, c.parent_id, c.created_at, t.names || (c.name collate dam_natural) from collection c join tree t on c.parent_id = t.id
    ), listed as (${counts(sql`true`)} order by t.names, t.id limit ${limit} offset ${offset})
    select *, (select count(*) from collection) as total from listed`)

export const findCollection = (querier: Querier, id: number): Promise<CollectionRow | undefined> =>
  querier.row<CollectionRow>(sql`
    with recursive up (parent_id, names) as (
      select parent_id, array[name] from collection where id = ${id}
      union all select p.parent_id, p.name || up.names from up join collection p on p.id = up.parent_id
    ), tree as (
      select c.id, c.name, c.parent_id, c.created_at, up.names from collection c, up where c.id = ${id} and up.parent_id is null
    ) ${counts(sql`true`)}`)

export async function insertCollection(
  tx: Transaction,
  collection: { name: string; parentId: number | null; ownerId: number },
): Promise<number> {
  const row = await tx.row<{ id: number }>(sql`
    insert into collection (parent_id, name, owner_id) values (${collection.parentId}, ${collection.name}, ${collection.ownerId}) returning id`)
  if (!row) throw new Error('insert into collection returned no row')
  return row.id
}

export const updateCollection = (
  tx: Transaction,
  id: number,
  change: { name: string; parentId: number | null },
): Promise<number> =>
  tx.run(sql`update collection set name = ${change.name}, parent_id = ${change.parentId} where id = ${id}`)

/** True where `id` is `other` or stands above it. */
export const isAbove = async (querier: Querier, id: number, other: number): Promise<boolean> =>
  (await querier.row(sql`
    with recursive up (id, parent_id) as (
      select id, parent_id from collection where id = ${other}
      union select p.id, p.parent_id from up join collection p on p.id = up.parent_id)
    select id from up where id = ${id}`)) !== undefined

/** Moves wait for each other, or two of them could make a ring. */
export const lockTree = (tx: Transaction): Promise<number> =>
  tx.run(sql`select pg_advisory_xact_lock(hashtextextended('dam collection tree', 0))`)

/** Deletes the collection and those below it; returns how many. The assets stay. */
export const deleteCollection = async (tx: Transaction, id: number): Promise<number> => {
  const row = await tx.row<{ count: number }>(sql`
    with recursive below (id) as (
      select id from collection where id = ${id} union select c.id from collection c join below on c.parent_id = below.id)
    select count(*) as count from below`)
  if (!row || row.count === 0) return 0
  await tx.run(sql`delete from collection where id = ${id}`)
  return row.count
}
