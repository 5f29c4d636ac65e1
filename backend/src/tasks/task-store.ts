import type { Task } from '@dam/contract'
import { sql, type Querier, type Transaction } from '@dam/platform/database'
import { recordEvents } from '../events/record.ts'

export type TaskRow = {
  id: number
  kind: string
  state: Task['state']
  ownerId: number | null
  done: number
  total: number | null
  input: Record<string, unknown>
  result: Record<string, unknown> | null
  error: string | null
  createdAt: Date
  endedAt: Date | null
}

const columns = sql`id, kind, state, owner_id as "ownerId", done_count as done, total_count as total, input, result, error, created_at as "createdAt", ended_at as "endedAt"`

export async function insertTask(
  tx: Transaction,
  task: { kind: string; ownerId: number | null; total: number | null; input: Record<string, unknown> },
): Promise<number> {
  const row = await tx.row<{ id: number }>(sql`
    insert into task (kind, owner_id, total_count, input)
    values (${task.kind}, ${task.ownerId}, ${task.total}, ${JSON.stringify(task.input)}::jsonb) returning id`)
  if (!row) throw new Error('insert into task returned no row')
  await recordTaskChange(tx, {
    id: row.id,
    kind: task.kind,
    state: 'queued',
    done: 0,
    total: task.total,
    ownerId: task.ownerId,
  })
  return row.id
}

export const findTask = (querier: Querier, id: number): Promise<TaskRow | undefined> =>
  querier.row<TaskRow>(sql`select ${columns} from task where id = ${id}`)

/** Locks the task's row, so that cancelling waits for the batch that runs and the next batch sees it. */
export const lockTask = (tx: Transaction, id: number): Promise<TaskRow | undefined> =>
  tx.row<TaskRow>(sql`select ${columns} from task where id = ${id} for update`)

export async function saveTask(
  tx: Transaction,
  id: number,
  change: { state: Task['state']; done?: number; total?: number; result?: Record<string, unknown>; error?: string },
): Promise<void> {
  const ended = ['done', 'failed', 'cancelled'].includes(change.state)
  await tx.run(sql`
    update task set state = ${change.state}, done_count = coalesce(${change.done ?? null}::bigint, done_count),
      total_count = coalesce(${change.total ?? null}::bigint, total_count),
      result = coalesce(${change.result === undefined ? null : JSON.stringify(change.result)}::jsonb, result), error = coalesce(${change.error ?? null}, error),
      started_at = case when ${change.state !== 'queued'} then coalesce(started_at, now()) else started_at end,
      ended_at = case when ${ended} then now() end
    where id = ${id}`)
}

/** Tells everybody who listens how far a task is. */
export const recordTaskChange = (
  tx: Transaction,
  task: Pick<TaskRow, 'id' | 'kind' | 'state' | 'done' | 'total' | 'ownerId'> & { counts?: Record<string, unknown> },
): Promise<void> =>
  recordEvents(tx, [
    {
      kind: 'task.changed',
      actorId: task.ownerId,
      data: {
        task_id: task.id,
        kind: task.kind,
        state: task.state,
        done: task.done,
        total: task.total,
        ...task.counts,
      },
    },
  ])

/** Ended tasks are kept 35 days. */
export const deleteOldTasks = (querier: Querier): Promise<number> =>
  querier.run(sql`delete from task where ended_at < now() - interval '35 days'`)
