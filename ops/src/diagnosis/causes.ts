/** Everything a playbook can name. Closed, so that each has its title and its action. */
export const causeTitles = {
  'database-down': 'The database does not answer',
  'database-hung': 'The database accepts nobody although it runs',
  'connections-exhausted': 'The connections of the database are used up',
  'pool-exhausted': "Requests wait for a connection of the process's pool",
  'lock-blocker': 'A session holds a lock that others wait for',
  'idle-in-transaction': 'A transaction was opened and left alone',
  'database-read-only': 'The database takes no writes',
  'slow-statement': 'A statement of the database is slow',
  'missing-index': 'A big table is read from end to end, again and again',
  'schema-mismatch': 'The schema of the database is not the one this release expects',
  'database-permission': 'The database user may not do what DAM does',
  'disk-full': 'The disk is full',
  'storage-lost': 'The storage of originals is not there or cannot be used',
  'release-fault': 'The release that was just deployed makes errors',
  'code-error': 'One place in the program fails',
  'process-stopped': 'A process of DAM is stopped or stuck',
  'process-missing': 'A process of DAM does not run',
  'process-leak': 'The memory of a process of DAM grows and grows',
  'other-process-memory': 'A program beside DAM takes the memory',
  'converter-load': 'Converters of uploaded files take the memory',
  'memory-load': 'The work at hand needs more memory than the machine has',
  'out-of-memory': 'The kernel ends processes for want of memory',
  'cpu-other-process': 'A program beside DAM takes the processors',
  'cpu-load': 'The processors are full',
  'cache-down': 'Redis does not answer',
  'cache-misses': 'The shared cache seldom has what is asked',
  'queue-backlog': 'Background work piles up',
  'external-slow': 'A service outside is slow or away',
  'cdn-down': 'The CDN does not answer or fails',
  'cdn-stale': 'The CDN serves what is not at the origin any more',
  'cdn-missing': 'The CDN lacks files that the origin has',
  'cdn-headers': 'The CDN may not or cannot keep what it should',
  'system-down': 'DAM does not answer',
} as const
export type CauseName = keyof typeof causeTitles

/** One probe speaks for one cause. Weights add up: 1 a hint, 4 enough to act on, 10 as good as proof. */
export type Vote = {
  cause: CauseName
  weight: number
  /** One line with the figures that speak for it. */
  evidence: string
  /** What an action needs to know: numbers of sessions and processes, names of tables and routes. */
  subject?: Record<string, string | number>
}
