import type { DamEvent } from '@dam/contract/types'

export type UpdatePlan = {
  /** Listed assets to read again. */
  changed: Set<number>
  /** Left the library: trashed or deleted for good. */
  gone: Set<number>
  purged: Set<number>
  /** Left the trash. */
  untrashed: Set<number>
  mayHaveArrived: boolean
  collectionsChanged: boolean
  tasks: Set<number>
}

/** What a batch of events means for the caches; the last word on an asset wins. */
export function planUpdate(events: readonly DamEvent[]): UpdatePlan {
  const plan: UpdatePlan = {
    changed: new Set(),
    gone: new Set(),
    purged: new Set(),
    untrashed: new Set(),
    mayHaveArrived: false,
    collectionsChanged: false,
    tasks: new Set(),
  }
  for (const event of events.toSorted((a, b) => a.seq - b.seq)) {
    if (event.kind === 'collection.changed') plan.collectionsChanged = true
    if (event.kind === 'task.changed' && typeof event.data['task_id'] === 'number')
      plan.tasks.add(event.data['task_id'])
    const id = event.asset_id
    if (id === null) {
      // Changes of many assets at once name none of them.
      if (event.kind.startsWith('asset.')) plan.mayHaveArrived = true
      continue
    }
    switch (event.kind) {
      case 'asset.trashed':
      case 'asset.purged':
        plan.gone.add(id)
        plan.changed.delete(id)
        if (event.kind === 'asset.purged') plan.purged.add(id)
        break
      case 'asset.created':
      case 'asset.restored':
        plan.gone.delete(id)
        if (event.kind === 'asset.restored') plan.untrashed.add(id)
        plan.mayHaveArrived = true
        break
      default:
        if (!plan.gone.has(id)) plan.changed.add(id)
    }
  }
  return plan
}
