import type { Task } from '@dam/contract/types'
import type { BulkBody, BulkResult } from '@dam/contract/types'
import { api } from './api.ts'
import type { AssetTarget } from './dialogs.ts'

type BulkAction = BulkBody['action']
const pollMs = 700

/** Runs a bulk change to its end, also where the server makes a task of it. `onProgress` gets a share from 0 to 1. */
export async function changeMany(
  target: AssetTarget,
  action: BulkAction,
  data: Partial<BulkBody['data']> = {},
  onProgress?: (share: number) => void,
): Promise<BulkResult> {
  const { data: answer } = await api('bulkAssets', {
    body: { ...('ids' in target ? { ids: target.ids } : { filter: target.filter }), action, data },
  })
  if (!('job_id' in answer)) return answer
  const task = await waitForTask(answer.job_id, onProgress)
  return (
    (task.result as BulkResult | null) ?? { success: true, dry_run: false, updated: task.done, failed: 0, errors: [] }
  )
}

/** Resolves when a task has ended well; throws with its own words where it failed. */
export async function waitForTask(id: number, onProgress?: (share: number) => void): Promise<Task> {
  for (;;) {
    const { data: task } = await api('getTask', { params: { id } })
    if (task.state === 'done') return task
    if (task.state === 'failed' || task.state === 'cancelled') throw new Error(task.error ?? task.state)
    if (task.total) onProgress?.(task.done / task.total)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}
