import type { Faults } from '@dam/ops/src/testing/miniature-release.ts'

export type Kind = {
  name: string
  faults: Faults
  /** From its start, or from when people are on it, so that slow starts of a busy machine change nothing. */
  from: 'start' | 'cut-over'
  /** What must become of it; `seen`: on the edge, so it is only counted. */
  expected: 'never-served' | 'rolled-back' | 'kept' | 'seen'
  bakeSeconds: number
  /** Seconds from the first bad answer to the decision, at 10 requests a second. */
  target?: { median?: number; p95?: number } | undefined
  /** Both releases need the database; it is gone for so many seconds. */
  databaseDownSeconds?: number
}

const early = (name: string, faults: Faults): Kind => ({
  name: `F20 ${name}`,
  faults,
  from: 'start',
  expected: 'never-served',
  bakeSeconds: 60,
})

const bad = (name: string, faults: Faults, target: Kind['target'], over: Partial<Kind> = {}): Kind => ({
  name,
  faults,
  from: 'cut-over',
  expected: 'rolled-back',
  bakeSeconds: 60,
  target,
  ...over,
})

/** Bad releases F20 to F23, on the edge, healthy ones that err a little, and a database that fails both. */
export const kinds: Kind[] = [
  early('crashes at boot', { crashAtBoot: true }),
  early('/readyz answers 503', { readiness: 'failing' }),
  early('/readyz hangs', { readiness: 'hanging' }),
  early('other version', { wrongTag: 'v9.9.9' }),
  bad('F21 100 % errors', { errorRate: 1 }, { median: 3, p95: 3 }),
  bad('F21 50 % errors', { errorRate: 0.5 }, { median: 5, p95: 5 }),
  bad('F21 20 % errors', { errorRate: 0.2 }, { p95: 60 }),
  bad('F21 10 % errors', { errorRate: 0.1 }, { median: 15, p95: 60 }),
  bad('F21 6 % errors', { errorRate: 0.06 }, { p95: 60 }, { expected: 'seen', bakeSeconds: 120 }),
  bad('F21 5.1 % errors', { errorRate: 0.051 }, { p95: 60 }, { expected: 'seen', bakeSeconds: 120 }),
  bad('F21 4.9 % errors', { errorRate: 0.049 }, undefined, { expected: 'seen', bakeSeconds: 120 }),
  bad('F21 errors after 60 s', { errorRate: 0.5, afterSeconds: 60 }, { median: 5, p95: 60 }, { bakeSeconds: 100 }),
  // A fifth of the requests.
  bad('F21 errors on one route', { errorRate: 1, errorRoute: '/api/collections' }, { p95: 60 }),
  bad('F22 slow query: 30 % take 2.5 s', { slowMs: 2_500, slowShare: 0.3 }, { p95: 60 }),
  bad('F22 event loop blocked 2.5 s of 3', { blockMs: 2_500 }, { p95: 60 }),
  bad('F22 slow from 4 requests at once', { workMs: 300, slowMs: 2_500, slowFrom: 4 }, { p95: 60 }),
  bad('F23 dies', { crashAfterSeconds: 2 }, { median: 3, p95: 3 }),
  bad('F23 leaks 20 MB/s', { leakMegabytesPerSecond: 20 }, { p95: 60 }),
  bad('F23 leaks files', { leakedFiles: 4 }, { p95: 60 }),
  bad('F23 leaks timers', { leakedTimerMs: 5 }, { p95: 60 }),
  { name: 'healthy, 0.1 % errors', faults: { errorRate: 0.001 }, from: 'cut-over', expected: 'kept', bakeSeconds: 30 },
  { name: 'healthy, 1 % errors', faults: { errorRate: 0.01 }, from: 'cut-over', expected: 'kept', bakeSeconds: 30 },
  {
    name: 'database down for both releases',
    faults: { needsDatabase: true },
    from: 'start',
    expected: 'kept',
    bakeSeconds: 45,
    databaseDownSeconds: 12,
  },
]
