import { Problem, type BulkBody } from '@dam/contract'
import { sql, type Querier, type Sql, type Transaction } from '@dam/platform/database'
import { recordEvents } from '../events/record.ts'
import { demand, visibleAssets, type Action, type Principal } from '../people/access.ts'
import { indexTags } from '../search/index-asset.ts'
import { canonicalTags, cleanTag, ensureTags } from '../tags/tag-store.ts'

export type BulkAction = Pick<BulkBody, 'action' | 'data'>
export type ItemError = { id: number; error: string }

const mostTags = 200

type Rule = {
  permission: Action
  /** Where an action with a filter looks for its assets. */
  filterScope: 'library' | 'trash'
  needs: 'tags' | 'collection' | null
}

const rules: Record<BulkAction['action'], Rule> = {
  add_tags: { permission: 'asset.edit', filterScope: 'library', needs: 'tags' },
  remove_tags: { permission: 'asset.edit', filterScope: 'library', needs: 'tags' },
  delete: { permission: 'asset.trash', filterScope: 'library', needs: null },
  restore: { permission: 'asset.restore', filterScope: 'trash', needs: null },
  add_to_collection: { permission: 'collection.edit', filterScope: 'library', needs: 'collection' },
  remove_from_collection: { permission: 'collection.edit', filterScope: 'library', needs: 'collection' },
}

export const filterScopeOf = ({ action }: BulkAction): 'library' | 'trash' => rules[action].filterScope

/** Throws where the caller may not do this at all, or the request lacks what the action needs. */
export async function demandAction(
  querier: Querier,
  principal: Principal,
  { action, data }: BulkAction,
): Promise<void> {
  const { permission, needs } = rules[action]
  demand(principal, permission)
  if (needs === 'tags' && !data.tags?.some((tag) => cleanTag(tag) !== '')) throw lacking('tags', action)
  if (needs !== 'collection') return
  if (data.collection === undefined) throw lacking('collection', action)
  if (!(await querier.row(sql`select id from collection where id = ${data.collection}`))) {
    throw new Problem('collection-not-found', 'There is no such collection.')
  }
}

const lacking = (field: string, action: string): Problem =>
  new Problem('invalid-request', `data.${field}: needed for ${action}.`, {
    fields: { [`data.${field}`]: [`Needed for ${action}.`] },
  })

/** Which of these assets exist for the caller and which the action would change. */
async function targetsOf(
  querier: Querier,
  principal: Principal,
  ids: readonly number[],
  { action, data }: BulkAction,
  tags: readonly string[],
  lock: boolean,
) {
  const scope = action === 'delete' || action === 'restore' ? 'all' : 'library'
  const differs: Record<BulkAction['action'], Sql> = {
    add_tags: sql`not a.tags @> ${tags}::text[]`,
    remove_tags: sql`a.tags && ${tags}::text[]`,
    delete: sql`a.trashed_at is null`,
    restore: sql`a.trashed_at is not null`,
    add_to_collection: sql`not exists (select from collection_asset m where m.asset_id = a.id and m.collection_id = ${data.collection ?? 0})`,
    remove_from_collection: sql`exists (select from collection_asset m where m.asset_id = a.id and m.collection_id = ${data.collection ?? 0})`,
  }
  // In one order, so that two bulk actions on the same assets wait for each other instead of blocking.
  const rows = await querier.rows<{ id: number; differs: boolean; full: boolean }>(sql`
    select a.id, ${differs[action]} as differs,
      ${action === 'add_tags' ? sql`cardinality(array(select unnest(a.tags) union select unnest(${tags}::text[]))) > ${mostTags}` : sql`false`} as "full"
    from asset a where a.id = any(${ids}::bigint[]) and ${visibleAssets(principal, scope)} order by a.id ${lock ? sql`for update of a` : sql``}`)
  const seen = new Set(rows.map((row) => row.id))
  const errors: ItemError[] = ids
    .filter((id) => !seen.has(id))
    .map((id) => ({ id, error: 'There is no such asset, or you may not change it.' }))
  for (const row of rows)
    if (row.full && row.differs) errors.push({ id: row.id, error: `An asset has at most ${mostTags} tags.` })
  return { targets: rows.filter((row) => row.differs && !row.full).map((row) => row.id), errors }
}

/** What `applyBulkAction` would do. */
export async function previewBulkAction(
  querier: Querier,
  principal: Principal,
  ids: readonly number[],
  bulk: BulkAction,
): Promise<{ updated: number; errors: ItemError[] }> {
  const wanted = [...new Set((bulk.data.tags ?? []).map(cleanTag))].filter((tag) => tag !== '')
  const known = await canonicalTags(querier, wanted)
  const fresh = wanted.filter((tag) => !known.some((name) => name.toLowerCase() === tag.toLowerCase()))
  const { targets, errors } = await targetsOf(
    querier,
    principal,
    ids,
    bulk,
    bulk.action === 'add_tags' ? [...known, ...fresh] : known,
    false,
  )
  return { updated: targets.length, errors }
}

/**
 * Does one action to up to some thousand assets in a few statements, with audit rows and search documents. `announce`: one event for each
 * asset; without it the caller tells of the change as a whole.
 */
export async function applyBulkAction(
  tx: Transaction,
  principal: Principal,
  ids: readonly number[],
  bulk: BulkAction,
  announce: boolean,
): Promise<{ updated: number; errors: ItemError[] }> {
  const { action, data } = bulk
  const named = data.tags ?? []
  const tags =
    action === 'add_tags' ? await ensureTags(tx, named) : action === 'remove_tags' ? await canonicalTags(tx, named) : []
  const { targets, errors } = await targetsOf(tx, principal, ids, bulk, tags, true)
  if (targets.length === 0) return { updated: 0, errors }
  const chosen = sql`asset.id = any(${targets}::bigint[])`
  if (action === 'add_tags') {
    await tx.run(sql`update asset set date_modified = now(),
      tags = tags || array(select name from unnest(${tags}::text[]) with ordinality as added (name, place) where not name = any(asset.tags) order by place) where ${chosen}`)
  } else if (action === 'remove_tags') {
    await tx.run(sql`update asset set date_modified = now(),
      tags = array(select name from unnest(asset.tags) with ordinality as kept (name, place) where not name = any(${tags}::text[]) order by place) where ${chosen}`)
  } else if (action === 'delete') {
    await tx.run(sql`update asset set trashed_at = now(), trashed_by = ${principal.id} where ${chosen}`)
  } else if (action === 'restore') {
    await tx.run(sql`update asset set trashed_at = null, trashed_by = null where ${chosen}`)
  } else if (action === 'add_to_collection') {
    await tx.run(
      sql`insert into collection_asset (collection_id, asset_id) select ${data.collection}::bigint, id from unnest(${targets}::bigint[]) id on conflict do nothing`,
    )
  } else {
    await tx.run(
      sql`delete from collection_asset where collection_id = ${data.collection} and asset_id = any(${targets}::bigint[])`,
    )
  }
  if (action === 'add_tags' || action === 'remove_tags') await indexTags(tx, targets)
  await record(tx, principal, targets, bulk, tags, announce)
  return { updated: targets.length, errors }
}

const eventKinds = { delete: 'asset.trashed', restore: 'asset.restored' } as const

async function record(
  tx: Transaction,
  principal: Principal,
  ids: readonly number[],
  { action, data }: BulkAction,
  tags: readonly string[],
  announce: boolean,
): Promise<void> {
  const kind = action === 'delete' || action === 'restore' ? eventKinds[action] : 'asset.updated'
  const detail =
    action === 'add_tags'
      ? { added_tags: tags }
      : action === 'remove_tags'
        ? { removed_tags: tags }
        : data.collection === undefined
          ? {}
          : { [action]: data.collection }
  await tx.run(sql`
    insert into audit (actor_id, action, object, detail)
    select ${principal.id}::bigint, ${kind}, 'asset:' || id, ${JSON.stringify({ ...detail, bulk: true })}::jsonb from unnest(${ids}::bigint[]) id`)
  if (announce) {
    const fields = action.endsWith('_tags') ? ['tags'] : action.endsWith('_collection') ? ['collections'] : []
    await recordEvents(
      tx,
      ids.map((assetId) => ({
        kind,
        assetId,
        actorId: principal.id,
        ...(fields.length > 0 ? { data: { fields } } : {}),
      })),
    )
  }
  if (action.endsWith('_collection'))
    await recordEvents(tx, [
      { kind: 'collection.changed', actorId: principal.id, data: { collection_id: data.collection } },
    ])
}
