import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listAudit } from '../audit/audit.ts'
import type { Policy } from '../policy/policy.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { openStore, type Store } from '../store.ts'
import { addOverride } from './oncall-store.ts'
import { findShift, roleInShift } from './shift-rights.ts'

let folder: string
let store: Store
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-shift-'))
  store = openStore(folder, { durability: 'none' })
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const person = (id: string): Policy['people'][number] => ({
  id,
  name: id,
  phone: '',
  email: `${id}@dam.local`,
  slack: '',
  pagerduty: '',
  level: 1,
})
const shipped = readPolicy().policy
const policy: Policy = {
  ...shipped,
  people: ['anna', 'ben', 'carl'].map(person),
  oncall: { ...shipped.oncall, rotation: ['anna', 'ben', 'carl'] },
}
// Anna's second week, Carl was before her.
const inShift = new Date('2025-01-28T12:00:00Z')
const handOff = '2025-02-03T09:00:00.000Z'
const viewer = (username: string) => ({ username, role: 'viewer' as const, kind: 'browser' as const })

test('who is on call may do what an operator may until the hand-off, and it is on record once', () => {
  expect(findShift(store, policy, viewer('anna'), inShift)).toEqual({ as: 'primary', until: handOff, raises: true })
  expect(findShift(store, policy, viewer('carl'), inShift)).toMatchObject({ as: 'secondary', raises: true })
  for (let use = 0; use < 3; use++) expect(roleInShift(store, policy, viewer('anna'), inShift)).toBe('operator')
  expect(roleInShift(store, policy, viewer('carl'), inShift)).toBe('operator')
  expect(roleInShift(store, policy, viewer('anna'), new Date(handOff))).toBe('operator')
  expect(roleInShift(store, policy, viewer('carl'), new Date(handOff))).toBe('viewer')
  const audit = listAudit(store, { limit: 10, action: 'shift.rights' }).map(({ who, subject }) => `${who} ${subject}`)
  expect(audit.toReversed()).toEqual([
    `anna primary until ${handOff}`,
    `carl secondary until ${handOff}`,
    'anna secondary until 2025-02-10T09:00:00.000Z',
  ])
})

test('nobody else gains anything: not who is off duty or unknown, not a token, and no role sinks', () => {
  expect(roleInShift(store, policy, viewer('ben'), inShift)).toBe('viewer')
  expect(roleInShift(store, policy, viewer('mallory'), inShift)).toBe('viewer')
  expect(roleInShift(store, policy, { ...viewer('anna'), kind: 'token' }, inShift)).toBe('viewer')
  expect(roleInShift(store, policy, { ...viewer('anna'), role: 'administrator' }, inShift)).toBe('administrator')
  expect(listAudit(store, { limit: 10 })).toEqual([])
})

test('whom an exception takes out loses the rights at once, and who comes instead has them', () => {
  addOverride(store, {
    kind: 'replace',
    person: 'ben',
    other: 'anna',
    from: inShift,
    until: new Date(inShift.getTime() + 3_600_000),
    note: '',
    by: 'anna',
    now: inShift,
  })
  const later = new Date(inShift.getTime() + 60_000)
  expect(roleInShift(store, policy, viewer('anna'), later)).toBe('viewer')
  expect(roleInShift(store, policy, viewer('ben'), later)).toBe('operator')
})
