import { expect, test } from 'vitest'
import { listIncidents } from '../incidents/incident-store.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { scratchStore } from '../testing/scratch-store.ts'
import { backupJobs, nextAt } from './backup-jobs.ts'

const dayMs = 86_400_000
const now = new Date('2026-03-01T00:30:00Z')

test.each([
  ['01:00', dayMs, '2026-03-01T00:30:00Z', '2026-03-01T01:00:00.000Z'],
  ['01:00', dayMs, '2026-03-01T01:00:00Z', '2026-03-02T01:00:00.000Z'],
  ['01:00', 7 * dayMs, '2026-03-01T02:00:00Z', '2026-03-08T01:00:00.000Z'],
  ['01:00', 6 * 3_600_000, '2026-03-01T02:00:00Z', '2026-03-01T08:00:00.000Z'],
])('at %s every %s ms after %s is %s', (at, everyMs, after, expected) =>
  expect(nextAt(at, everyMs, new Date(after)).toISOString()).toBe(expected),
)

test('a failed backup is an incident that holds what was said, one that was cut short is not', async () => {
  using store = scratchStore()
  const asked: string[][] = []
  const [backup, drill] = backupJobs({
    store,
    environments: ['production'],
    policy: () => readPolicy().policy,
    run: async (args) => {
      asked.push(args)
      return { exitCode: args[0] === 'backup' ? 1 : 0, output: 'The disk is full: 3 GB are missing.\n' }
    },
  })
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const live = new AbortController().signal
  await expect(backup?.run({ now, signal: live, log })).rejects.toThrow('The disk is full')
  await expect(backup?.run({ now, signal: AbortSignal.abort(), log })).rejects.toThrow('cut short')
  await drill?.run({ now, signal: live, log })
  expect(asked.map((args) => args.join(' '))).toEqual([
    'backup production --json',
    'backup production --json',
    'drill restore production --json',
  ])
  expect(listIncidents(store, { state: 'all', limit: 9 })).toMatchObject([
    { severity: 'P2', title: 'Backup of production failed', cause: 'The disk is full: 3 GB are missing.' },
  ])
})
