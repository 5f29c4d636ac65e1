import { sql, type Database, type Transaction } from '@dam/platform/database'
import { addJob } from '@dam/platform/jobs'
import { recordAudit, recordEvents } from '../events/record.ts'
import { runInBatches } from '../tasks/run-in-batches.ts'
import { insertTask, type TaskRow } from '../tasks/task-store.ts'

const batchSize = 1_000

/** Starts the task that restores everything that is in the trash now. */
export async function startRestoring(tx: Transaction, actorId: number): Promise<number> {
  const row = await tx.row<{ total: number; before: Date }>(
    sql`select count(*) as total, clock_timestamp() as before from asset where trashed_at is not null`,
  )
  const id = await insertTask(tx, {
    kind: 'trash.restore',
    ownerId: actorId,
    total: row?.total ?? 0,
    input: { trashedBefore: row?.before.toISOString() },
  })
  await addJob(tx, 'restore-trash', { taskId: id }, { priority: 10 })
  await recordAudit(tx, [
    { actorId, action: 'trash.restored', object: `task:${id}`, detail: { assets: row?.total ?? 0 } },
  ])
  return id
}

export async function runRestoring(database: Database, task: TaskRow): Promise<void> {
  const { trashedBefore } = task.input as { trashedBefore: string }
  await runInBatches(database, task.id, {
    batch: async (tx, current) => {
      const rows = await tx.rows<{ id: number }>(sql`
        with chosen as (
          select id from asset where trashed_at is not null and trashed_at <= ${trashedBefore}::timestamptz + interval '1 millisecond'
          order by trashed_at, id limit ${batchSize} for update)
        update asset set trashed_at = null, trashed_by = null from chosen where asset.id = chosen.id returning asset.id`)
      const ids = rows.map((row) => row.id)
      const announce = (current.total ?? 0) <= batchSize
      await tx.run(sql`
        insert into audit (actor_id, action, object, detail)
        select ${current.ownerId}::bigint, 'asset.restored', 'asset:' || id, '{"bulk": true}' from unnest(${ids}::bigint[]) id`)
      if (announce)
        await recordEvents(
          tx,
          ids.map((assetId) => ({ kind: 'asset.restored', assetId, actorId: current.ownerId })),
        )
      const restored = ((current.result?.['restored'] as number | undefined) ?? 0) + ids.length
      return { done: ids.length, finished: ids.length < batchSize, result: { restored }, counts: { restored } }
    },
  })
}
