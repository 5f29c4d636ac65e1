import { expect, test } from 'vitest'
import { recordAudit } from './audit/audit.ts'
import { openStore } from './store.ts'
import { scratchStore } from './testing/scratch-store.ts'

const now = new Date('2026-01-01T00:00:00Z')

test('a transaction is all or nothing, and one inside another joins it', () => {
  using store = scratchStore()
  const audit = (action: string) => recordAudit(store, { who: 'anna', action, now })
  expect(() =>
    store.transaction(() => {
      audit('kept?')
      store.transaction(() => audit('inner'))
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(store.row('select count(*) as n from audit')).toEqual({ n: 0 })
  store.transaction(() => audit('yes'))
  expect(store.rows('select action from audit')).toEqual([{ action: 'yes' }])
})

test('several processes can have it open', () => {
  using store = scratchStore()
  using other = openStore(store.folder)
  recordAudit(store, { who: 'anna', action: 'seen', now })
  expect(other.rows('select action from audit')).toEqual([{ action: 'seen' }])
})
