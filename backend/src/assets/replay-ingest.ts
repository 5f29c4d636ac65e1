import type { StageName } from '@dam/contract'
import { sql, type Database, type Transaction } from '@dam/platform/database'
import { addJob } from '@dam/platform/jobs'
import { recordAudit, recordEvents } from '../events/record.ts'
import { findTask, insertTask, lockTask, recordTaskChange, saveTask, type TaskRow } from '../tasks/task-store.ts'

/** Runs ingest of one asset again from a stage on. Returns the task to follow. */
export async function replayIngest(
  tx: Transaction,
  input: { assetId: number; from: StageName; actorId: number },
): Promise<number> {
  const last = await tx.row<{ id: number }>(
    sql`select coalesce(max(id), 0) as id from ingest_stage where asset_id = ${input.assetId}`,
  )
  // The stage `index` alone tells nothing about the file, so it leaves the status as it is.
  if (input.from !== 'index')
    await tx.run(sql`update asset set status = 'processing', status_reason = null where id = ${input.assetId}`)
  await addJob(
    tx,
    'ingest',
    { assetId: input.assetId, from: input.from },
    { key: `replay:${input.assetId}`, priority: 0 },
  )
  await recordAudit(tx, [
    {
      actorId: input.actorId,
      action: 'asset.replayed',
      object: `asset:${input.assetId}`,
      detail: { from: input.from },
    },
  ])
  await recordEvents(tx, [
    { kind: 'asset.updated', assetId: input.assetId, actorId: input.actorId, data: { fields: ['status'] } },
  ])
  return insertTask(tx, {
    kind: 'replay',
    ownerId: input.actorId,
    total: 1,
    input: { assetId: input.assetId, from: input.from, afterStage: last?.id ?? 0 },
  })
}

/** The flight recorder knows whether ingest has run since; a replay that it finished is marked so when somebody looks. */
export async function settleReplay(database: Database, task: TaskRow): Promise<TaskRow> {
  const { assetId, afterStage } = task.input as { assetId: number; afterStage: number }
  const end = await database.row<{ outcome: string; error: string | null }>(sql`
    select outcome, error from ingest_stage where asset_id = ${assetId} and id > ${afterStage} and stage = 'index' and ended_at is not null order by id limit 1`)
  const isGone = !end && !(await database.row(sql`select id from asset where id = ${assetId}`))
  if (!end && !isGone) return task
  const error = isGone
    ? 'The asset was deleted for good meanwhile.'
    : end?.outcome === 'failed'
      ? (end.error ?? 'Ingest failed.')
      : undefined
  const state = error === undefined ? 'done' : 'failed'
  await database.transaction(async (tx) => {
    const current = await lockTask(tx, task.id)
    if (current?.state !== 'queued' && current?.state !== 'running') return
    await saveTask(tx, task.id, { state, done: 1, ...(error === undefined ? {} : { error }) })
    await recordTaskChange(tx, { ...current, state, done: 1 })
  })
  return (await findTask(database, task.id)) ?? task
}
