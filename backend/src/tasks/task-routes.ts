import { Problem, type Task } from '@dam/contract'
import type { Database } from '@dam/platform/database'
import { recordAudit } from '../events/record.ts'
import type { Handlers } from '../http/handler.ts'
import type { Principal } from '../people/access.ts'
import { settleReplay } from '../assets/replay-ingest.ts'
import { findTask, lockTask, recordTaskChange, saveTask, type TaskRow } from './task-store.ts'

export type TaskDeps = { database: Database }

const hasEnded = (task: TaskRow): boolean => ['done', 'failed', 'cancelled'].includes(task.state)

/** Who started a task may follow and cancel it, and so may administrators. */
const isFor = (task: TaskRow | undefined, principal: Principal): task is TaskRow =>
  task !== undefined && (task.ownerId === principal.id || principal.role === 'administrator')

const notFound = (): Problem => new Problem('task-not-found', 'There is no such task, or it is not yours.')

export const taskUrl = (origin: string, id: number): string => `${origin}/api/v4/tasks/${id}/`

export const taskHandlers = ({ database }: TaskDeps): Pick<Handlers, 'getTask' | 'cancelTask'> => ({
  getTask: async ({ params }, { principal, origin }) => {
    const task = await findTask(database, params.id)
    if (!isFor(task, principal)) throw notFound()
    return present(task.kind === 'replay' && !hasEnded(task) ? await settleReplay(database, task) : task, origin)
  },
  cancelTask: async ({ params }, { principal }) => {
    await database.transaction(async (tx) => {
      const task = await lockTask(tx, params.id)
      if (!isFor(task, principal)) throw notFound()
      if (hasEnded(task)) throw new Problem('task-already-ended', `This task has ended already (${task.state}).`)
      if (task.kind === 'replay')
        throw new Problem(
          'task-already-ended',
          'Ingest of one file cannot be cancelled; it ends by itself within minutes.',
        )
      await saveTask(tx, task.id, { state: 'cancelled' })
      await recordTaskChange(tx, { ...task, state: 'cancelled' })
      await recordAudit(tx, [
        {
          actorId: principal.id,
          action: 'task.cancelled',
          object: `task:${task.id}`,
          detail: { kind: task.kind, done: task.done },
        },
      ])
    })
    return undefined
  },
})

function present(task: TaskRow, origin: string): Task {
  const { pending: _, after: __, ...result } = task.result ?? {}
  return {
    id: task.id,
    url: taskUrl(origin, task.id),
    kind: task.kind,
    state: task.state,
    done: task.done,
    total: task.total,
    result: Object.keys(result).length > 0 ? result : null,
    error: task.error,
    date_added: task.createdAt.toISOString(),
    ended_at: task.endedAt?.toISOString() ?? null,
  }
}
