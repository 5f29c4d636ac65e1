import { afterEach, beforeEach, expect, test } from 'vitest'
import { openIncident } from '../incidents/incident-store.ts'
import { listOutbox } from '../notify/outbox-store.ts'
import type { Policy } from '../policy/policy.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { scratchStore } from '../testing/scratch-store.ts'
import { announceHandoff } from './announce-handoff.ts'
import { addHandoffNote } from './oncall-store.ts'

const shipped = readPolicy().policy
const person = (id: string) => ({
  id,
  name: id,
  phone: '',
  email: `${id}@dam.local`,
  slack: '',
  pagerduty: '',
  level: 1,
})
const policy: Policy = {
  ...shipped,
  people: ['anna', 'ben'].map(person),
  oncall: { ...shipped.oncall, rotation: ['anna', 'ben'] },
}
let store: ReturnType<typeof scratchStore>
beforeEach(() => {
  store = scratchStore()
})
afterEach(() => store[Symbol.dispose]())

// The rotation hands over on Mondays at 09:00.
const at = (time: string): boolean =>
  announceHandoff(store, { policy, consoleUrl: 'http://ops', now: new Date(`2025-01-13T${time}Z`) })

test('whoever takes over is told once what is open, also when nothing ran at that moment or the clock goes back', () => {
  expect(at('08:00:00')).toBe(false)
  openIncident(store, {
    environment: 'production',
    severity: 'P2',
    title: 'Uploads are slow',
    cause: '',
    dedupKey: 'slow',
    openedBy: 'anna',
    now: new Date('2025-01-13T08:30:00Z'),
  })
  addHandoffNote(store, { by: 'anna', text: 'the disk of staging is slow', now: new Date('2025-01-13T08:40:00Z') })
  expect(at('08:59:59')).toBe(false)
  expect(at('09:20:00')).toBe(true)
  expect(at('08:50:00')).toBe(false)
  expect(at('09:20:01')).toBe(false)
  const told = listOutbox(store, { limit: 10 })
  expect(told.map(({ channel }) => channel).toSorted()).toEqual(['email:ben@dam.local', 'slack:#dam-oncall'])
  expect(told[0]?.message.title).toBe('ben is on call now, after anna')
  for (const part of ['1 P2 Uploads are slow (open)', 'the disk of staging is slow'])
    expect(told[0]?.message.text).toContain(part)
})
