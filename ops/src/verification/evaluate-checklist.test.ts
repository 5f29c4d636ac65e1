import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readPolicy } from '../policy/read-policy.ts'
import { openStore, type Store } from '../store.ts'
import { type Attestation, attest, validAttestations } from './attestation-store.ts'
import { checklistOf, checklistsFor, type Finding, type Findings } from './checklist.ts'
import { evaluateChecklist, exitCodeOf } from './evaluate-checklist.ts'

const dir = mkdtempSync(path.join(tmpdir(), 'dam-checklist-'))
let store: Store
beforeAll(() => {
  store = openStore(dir)
})
afterAll(() => {
  store.close()
  rmSync(dir, { recursive: true, force: true })
})

const now = new Date('2026-01-05T10:00:00Z')
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000)
const pass: Finding = { state: 'pass', evidence: 'seen' }
const { policy } = readPolicy()
const evaluate = (findings: Findings, words: ReadonlyMap<string, Attestation>) =>
  evaluateChecklist('staging', checklistOf(policy, 'staging'), findings, words)
const known = { smoke: pass, performance: pass, logs: pass }

test('what only a person can know waits for that person, and expires', () => {
  const subject = 'environment:staging'
  const at = (moment: Date) => exitCodeOf(evaluate(known, validAttestations(store, subject, moment)))
  expect(at(now)).toBe(2)
  attest(store, subject, { item: 'features', by: 'Anna', note: 'clicked through all', expiresAt: later(7) }, now)
  expect(at(now)).toBe(0)
  expect(at(later(8))).toBe(2)
  expect(store.rows('select action from audit')).toEqual([{ action: 'attested' }])
})

test('a failure a machine found stands whatever a person says; what it does not know a person may', () => {
  const word = new Map([
    ['logs', { item: 'logs', by: 'Anna', note: 'read them', at: '', expiresAt: later(7).toISOString() }],
  ])
  const stateOf = (finding: Finding) => evaluate({ logs: finding }, word).find(({ item }) => item === 'logs')?.state
  expect(stateOf({ state: 'fail', evidence: 'TypeError' })).toBe('fail')
  expect(stateOf({ state: 'unknown', evidence: 'no database' })).toBe('attested')
})

test('unknown is never a pass', () => {
  expect(exitCodeOf(evaluate({ ...known, logs: { state: 'unknown', evidence: '' } }, new Map()))).toBe(1)
})

test('an attestation without a name, a note or a future is refused', () => {
  for (const wrong of [{ by: '' }, { note: ' ' }, { expiresAt: now }]) {
    const given = { item: 'features', by: 'Anna', note: 'seen', expiresAt: later(1), ...wrong }
    expect(() => attest(store, 'environment:staging', given, now)).toThrow('attestation')
  }
})

test('a word for one release does not count for the next', () => {
  const subject = 'environment:production'
  attest(store, subject, { item: 'feedback', by: 'Anna', note: 'asked five', expiresAt: later(7) }, now)
  expect(validAttestations(store, subject, later(1), now).has('feedback')).toBe(true)
  expect(validAttestations(store, subject, later(1), later(0.5)).has('feedback')).toBe(false)
})

test('the lists are those of the runbook, and a line that somebody adds to the policy is for people', () => {
  expect(checklistsFor('local').map((name) => checklistOf(policy, name).map(({ title }) => title))).toEqual([
    ['Smoke tests pass', 'All features work', 'Performance acceptable', 'No errors in logs'],
    [
      'Health check passes',
      'Smoke tests pass',
      'Monitoring shows healthy',
      'No errors in logs',
      'User feedback positive',
    ],
  ])
  const checklists = { ...policy.checklists, staging: ['Looks right on a phone'] }
  const list = checklistOf({ checklists }, 'staging')
  expect(list).toEqual([{ item: 'looks-right-on-a-phone', title: 'Looks right on a phone' }])
  expect(evaluateChecklist('staging', list, known, new Map())[0]?.state).toBe('attestation-missing')
})
