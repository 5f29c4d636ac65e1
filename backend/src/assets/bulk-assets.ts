import { Problem, type BulkBody, type BulkResult } from '@dam/contract'
import { sql, type Database, type Querier, type Sql } from '@dam/platform/database'
import { addJob } from '@dam/platform/jobs'
import { visibleAssets, type Principal } from '../people/access.ts'
import { findAccount } from '../people/account-store.ts'
import { narrowByText } from '../search/find-hits.ts'
import { insertTask, type TaskRow } from '../tasks/task-store.ts'
import { runInBatches } from '../tasks/run-in-batches.ts'
import { filterOfBody } from './asset-filter.ts'
import { applyBulkAction, demandAction, filterScopeOf, previewBulkAction, type ItemError } from './bulk-action.ts'
import { resolveFilter, whereOf } from './resolve-filter.ts'

/** Up to this many assets are changed while the caller waits. */
const mostInline = 1_000
const batchSize = 1_000
const mostErrors = 100

/** Does a bulk change, or starts the task that does it. */
export async function bulkAssets(
  database: Database,
  principal: Principal,
  body: BulkBody,
): Promise<{ result: BulkResult } | { taskId: number }> {
  await demandAction(database, principal, body)
  const ids = body.ids
    ? [...new Set(body.ids)].sort((a, b) => a - b)
    : await matching(database, principal, body, { limit: mostInline + 1 })
  if (body.dry_run) return { result: await dryRun(database, principal, body, ids) }
  if (ids.length <= mostInline) {
    const { updated, errors } = await database.transaction((tx) => applyBulkAction(tx, principal, ids, body, true))
    return { result: { success: errors.length === 0, dry_run: false, updated, failed: errors.length, errors } }
  }
  const taskId = await database.transaction(async (tx) => {
    const until = body.ids
      ? undefined
      : await tx.row<{ id: number; total: number }>(await boundsOf(tx, principal, body))
    const input = { ...body, ...(body.ids ? { ids } : {}), until: until?.id ?? null }
    const id = await insertTask(tx, {
      kind: `bulk.${body.action}`,
      ownerId: principal.id,
      total: body.ids ? ids.length : (until?.total ?? 0),
      input,
    })
    await addJob(tx, 'bulk-assets', { taskId: id }, { priority: 10 })
    return id
  })
  return { taskId }
}

type Progress = { after: number; updated: number; failed: number; errors: ItemError[] }

/** Works through a bulk task. The caller's account decides anew, when the task runs, what may be changed. */
export async function runBulkTask(database: Database, task: TaskRow): Promise<void> {
  const body = task.input as BulkBody & { until: number | null }
  const principal = await principalOf(database, task.ownerId)
  await demandAction(database, principal, body)
  await runInBatches(database, task.id, {
    batch: async (tx, current) => {
      const progress: Progress = { after: 0, updated: 0, failed: 0, errors: [], ...current.result }
      const ids = body.ids
        ? body.ids.filter((id) => id > progress.after).slice(0, batchSize)
        : await matching(tx, principal, body, { limit: batchSize, after: progress.after, until: body.until ?? 0 })
      const { updated, errors } =
        ids.length === 0 ? { updated: 0, errors: [] } : await applyBulkAction(tx, principal, ids, body, false)
      const result: Progress = {
        after: ids.at(-1) ?? progress.after,
        updated: progress.updated + updated,
        failed: progress.failed + errors.length,
        errors: [...progress.errors, ...errors].slice(0, mostErrors),
      }
      const finished = ids.length < batchSize
      return {
        done: ids.length,
        finished,
        result,
        counts: { action: body.action, updated: result.updated, failed: result.failed },
      }
    },
  })
}

async function dryRun(querier: Querier, principal: Principal, body: BulkBody, first: number[]): Promise<BulkResult> {
  let updated = 0
  const errors: ItemError[] = []
  let failed = 0
  const step = async (ids: readonly number[]): Promise<void> => {
    const seen = await previewBulkAction(querier, principal, ids, body)
    updated += seen.updated
    failed += seen.errors.length
    errors.push(...seen.errors.slice(0, mostErrors - errors.length))
  }
  if (body.ids) {
    for (let at = 0; at < first.length; at += 10_000) await step(first.slice(at, at + 10_000))
  } else {
    for (
      let ids = first;
      ids.length > 0;
      ids = await matching(querier, principal, body, { limit: 10_000, after: ids.at(-1) ?? 0 })
    )
      await step(ids)
  }
  return { success: failed === 0, dry_run: true, updated, failed, errors }
}

type Range = { limit: number; after?: number; until?: number }

/** Ids that the filter of a bulk change means, ascending. */
async function matching(
  querier: Querier,
  principal: Principal,
  body: BulkBody,
  { limit, after = 0, until }: Range,
): Promise<number[]> {
  const where = await whereOfBody(querier, principal, body)
  const rows = await querier.rows<{ id: number }>(sql`
    select a.id from asset a where ${where} and a.id > ${after} ${until === undefined ? sql`` : sql`and a.id <= ${until}`} order by a.id limit ${limit}`)
  return rows.map((row) => row.id)
}

/** What came into the library after the request is not meant by it. */
const boundsOf = async (querier: Querier, principal: Principal, body: BulkBody): Promise<Sql> =>
  sql`select coalesce(max(a.id), 0) as id, count(*) as total from asset a where ${await whereOfBody(querier, principal, body)}`

async function whereOfBody(querier: Querier, principal: Principal, body: BulkBody): Promise<Sql> {
  const visible = visibleAssets(principal, filterScopeOf(body))
  const resolved = await resolveFilter(querier, filterOfBody(body.filter?.filters ?? {}, body.filter?.q))
  const { conditions } = await narrowByText(querier, resolved, visible)
  return whereOf(visible, conditions)
}

async function principalOf(querier: Querier, accountId: number | null): Promise<Principal> {
  const account = accountId === null ? undefined : await findAccount(querier, accountId)
  if (!account?.active) throw new Problem('not-allowed', 'The account that started this was closed before it was done.')
  return {
    id: account.id,
    username: account.username,
    displayName: account.displayName,
    role: account.role,
    sessionId: 0,
  }
}
