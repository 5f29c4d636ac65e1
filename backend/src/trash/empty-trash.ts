import { sql, type Database, type Sql, type Transaction } from '@dam/platform/database'
import { addJob } from '@dam/platform/jobs'
import { assetNotFound } from '../assets/edit-asset.ts'
import { recordAudit, recordEvents } from '../events/record.ts'
import { runInBatches } from '../tasks/run-in-batches.ts'
import { insertTask, type TaskRow } from '../tasks/task-store.ts'

const batchSize = 500
/** Up to this many assets each have an event; beyond it only the task tells. */
const mostAnnounced = 1_000

/** Takes originals off the disk that no asset uses any more; see `releaseBlobs`. */
export type ReleaseBlobs = (sha256s: readonly string[]) => Promise<unknown>

/** Starts the task that deletes for good what is in the trash now. */
export async function startEmptying(
  tx: Transaction,
  input: { actorId: number | null; trashedBefore?: Date },
): Promise<number> {
  const row = await tx.row<{ total: number; before: Date }>(sql`
    select count(*) as total, coalesce(${input.trashedBefore ?? null}::timestamptz, clock_timestamp()) as before from asset
    where trashed_at is not null and trashed_at <= coalesce(${input.trashedBefore ?? null}::timestamptz, clock_timestamp())`)
  const id = await insertTask(tx, {
    kind: 'trash.empty',
    ownerId: input.actorId,
    total: row?.total ?? 0,
    input: { trashedBefore: row?.before.toISOString() },
  })
  await addJob(tx, 'empty-trash', { taskId: id }, { queue: 'empty-trash', priority: 20, maxAttempts: 10 })
  await recordAudit(tx, [
    { actorId: input.actorId, action: 'trash.emptied', object: `task:${id}`, detail: { assets: row?.total ?? 0 } },
  ])
  return id
}

/** Deletes one asset in the trash for good; its bytes go as soon as a worker gets to it. */
export async function purgeAsset(tx: Transaction, input: { id: number; visible: Sql; actorId: number }): Promise<void> {
  const chosen = await tx.row(sql`select a.id from asset a where a.id = ${input.id} and ${input.visible} for update`)
  if (!chosen) throw assetNotFound()
  const gone = await purge(tx, [input.id], input.actorId, true)
  await addJob(tx, 'release-blobs', { checksums: gone.map((row) => row.sha256) }, { maxAttempts: 10 })
}

type Progress = { deleted: number; pending: string[] }

/** Deletes the assets batch by batch; the bytes of a batch go when its transaction is certain. */
export async function runEmptying(database: Database, release: ReleaseBlobs, task: TaskRow): Promise<void> {
  const { trashedBefore } = task.input as { trashedBefore: string }
  await runInBatches(database, task.id, {
    batch: async (tx, current) => {
      const progress: Progress = { deleted: 0, pending: [], ...current.result }
      // An asset that is being restored right now is left alone.
      const chosen = await tx.rows<{ id: number }>(sql`
        select id from asset where trashed_at is not null and trashed_at <= ${trashedBefore}::timestamptz + interval '1 millisecond'
        order by trashed_at, id limit ${batchSize} for update skip locked`)
      const gone = await purge(
        tx,
        chosen.map((row) => row.id),
        current.ownerId,
        (current.total ?? 0) <= mostAnnounced,
      )
      const result: Progress = {
        deleted: progress.deleted + gone.length,
        pending: [...new Set(gone.map((row) => row.sha256))],
      }
      return { done: gone.length, finished: gone.length < batchSize, result, counts: { deleted: result.deleted } }
    },
    afterCommit: async (result) => {
      const { pending } = result as Partial<Progress>
      if (pending && pending.length > 0) await release(pending)
    },
  })
}

async function purge(
  tx: Transaction,
  ids: readonly number[],
  actorId: number | null,
  announce: boolean,
): Promise<{ id: number; sha256: string }[]> {
  if (ids.length === 0) return []
  const gone = await tx.rows<{ id: number; sha256: string; filename: string }>(
    sql`delete from asset where id = any(${ids}::bigint[]) and trashed_at is not null returning id, sha256, filename`,
  )
  await recordAudit(
    tx,
    gone.map(({ id, sha256, filename }) => ({
      actorId,
      action: 'asset.purged',
      object: `asset:${id}`,
      detail: { filename, checksum: sha256 },
    })),
  )
  if (announce)
    await recordEvents(
      tx,
      gone.map(({ id }) => ({ kind: 'asset.purged', assetId: id, actorId })),
    )
  return gone
}

/** Starts emptying what has been in the trash for longer than `trashDays`; 0 keeps everything. Returns the task, if there is one. */
export async function purgeExpired(
  database: Database,
  input: { trashDays: number; now: Date },
): Promise<number | undefined> {
  if (input.trashDays === 0) return undefined
  const trashedBefore = new Date(input.now.getTime() - input.trashDays * 86_400_000)
  return database.transaction(async (tx) => {
    const due = await tx.row(sql`
      select 1 as due where exists (select from asset where trashed_at <= ${trashedBefore}::timestamptz)
        and not exists (select from task where kind = 'trash.empty' and state in ('queued', 'running'))`)
    return due ? startEmptying(tx, { actorId: null, trashedBefore }) : undefined
  })
}
