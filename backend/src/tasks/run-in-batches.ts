import type { Task as Job } from 'graphile-worker'
import { z } from 'zod'
import { Problem } from '@dam/contract'
import type { Database, Transaction } from '@dam/platform/database'
import { findTask, lockTask, recordTaskChange, saveTask, type TaskRow } from './task-store.ts'

/** What one batch did. `result` is kept with the task and handed to the next batch; `finished` ends the task. */
export type Batch = {
  done: number
  finished: boolean
  result: Record<string, unknown>
  counts?: Record<string, unknown>
}

const eventEveryMs = 1_000

/**
 * Runs a task batch by batch until it is finished or cancelled. A batch and the note of how far it got are one transaction, so a crash
 * repeats nothing and loses nothing. `afterCommit` does what must not happen before the batch is certain; it is repeated after a crash.
 */
export async function runInBatches(
  database: Database,
  taskId: number,
  step: {
    batch: (tx: Transaction, task: TaskRow) => Promise<Batch>
    afterCommit?: (result: Record<string, unknown>) => Promise<void>
  },
): Promise<void> {
  const left = (await findTask(database, taskId))?.result
  if (left) await step.afterCommit?.(left)
  let toldAt = 0
  for (;;) {
    const outcome = await database.transaction(async (tx) => {
      const task = await lockTask(tx, taskId)
      if (!task || task.state === 'done' || task.state === 'failed' || task.state === 'cancelled')
        return { finished: true, result: {} }
      const batch = await step.batch(tx, task)
      const state = batch.finished ? 'done' : 'running'
      const done = task.done + batch.done
      await saveTask(tx, taskId, { state, done, result: batch.result, ...(batch.finished ? { total: done } : {}) })
      const now = performance.now()
      if (batch.finished || now - toldAt > eventEveryMs) {
        toldAt = now
        await recordTaskChange(tx, { ...task, state, done, ...(batch.counts ? { counts: batch.counts } : {}) })
      }
      return batch
    })
    await step.afterCommit?.(outcome.result)
    if (outcome.finished) return
  }
}

const payloadSchema = z.object({ taskId: z.number().int().positive() })

/**
 * A job of the queue that works on the task in its payload. When its last attempt has failed the task says so; the error itself is
 * logged by the worker.
 */
export const taskJob =
  (database: Database, work: (task: TaskRow) => Promise<void>): Job =>
  async (payload, { job }) => {
    const { taskId } = payloadSchema.parse(payload)
    const task = await findTask(database, taskId)
    if (!task) return
    try {
      await work(task)
    } catch (error) {
      const said = error instanceof Problem ? error.message : undefined
      if (said !== undefined || job.attempts >= job.max_attempts) {
        await failTask(
          database,
          taskId,
          said ??
            'Something went wrong on the server, several times. What was done so far stays; start it again to go on.',
        )
      }
      if (said === undefined) throw error
    }
  }

async function failTask(database: Database, taskId: number, error: string): Promise<void> {
  await database.transaction(async (tx) => {
    const task = await lockTask(tx, taskId)
    if (!task || ['done', 'failed', 'cancelled'].includes(task.state)) return
    await saveTask(tx, taskId, { state: 'failed', error })
    await recordTaskChange(tx, { ...task, state: 'failed' })
  })
}
