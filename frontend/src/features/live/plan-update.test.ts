import type { DamEvent } from '@dam/contract/types'
import { describe, expect, test } from 'vitest'
import { planUpdate } from './plan-update.ts'

let seq = 0
const event = (
  kind: DamEvent['kind'],
  asset_id: number | null = null,
  data: Record<string, unknown> = {},
): DamEvent => ({ seq: ++seq, at: '2026-01-01T00:00:00Z', kind, asset_id, actor_id: null, data })

describe('a batch of events', () => {
  test('an asset that changed often is read once', () => {
    expect(
      planUpdate([event('asset.previewed', 1), event('asset.ready', 1), event('asset.updated', 1)]).changed,
    ).toEqual(new Set([1]))
  })

  test('the last word wins: trashed after being changed is gone, restored after being trashed is back', () => {
    const gone = planUpdate([event('asset.updated', 1), event('asset.trashed', 1)])
    expect([gone.changed.size, gone.gone.has(1)]).toEqual([0, true])
    const back = planUpdate([event('asset.trashed', 2), event('asset.restored', 2)])
    expect([back.gone.size, back.untrashed.has(2), back.mayHaveArrived]).toEqual([0, true, true])
  })

  test('order is that of the numbers, not of arrival', () => {
    const first = event('asset.trashed', 3)
    const second = event('asset.restored', 3)
    expect(planUpdate([second, first]).gone.size).toBe(0)
  })

  test('what was deleted for good leaves trash and library', () => {
    const plan = planUpdate([event('asset.purged', 4)])
    expect([plan.gone.has(4), plan.purged.has(4)]).toEqual([true, true])
  })

  test('collections and tasks are told apart from assets', () => {
    const plan = planUpdate([event('collection.changed'), event('task.changed', null, { task_id: 12 })])
    expect([plan.collectionsChanged, [...plan.tasks], plan.mayHaveArrived]).toEqual([true, [12], false])
  })
})
