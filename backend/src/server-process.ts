import type { Log } from '@dam/platform/log'
import type { Config } from './config.ts'
import type { Release } from './operations/release.ts'

export type ProcessInput = { config: Config; connectionString: string; release: Release }

/** How the connections of a process name themselves to PostgreSQL. */
export const connectionName = (role: 'web' | 'worker', { config, release }: ProcessInput): string =>
  ['dam', role, config.slot, release.tag].filter((part) => part !== undefined && part !== null).join(' ')

/** What `main.ts` needs of a process it started. `failed` settles only when the process cannot go on. */
export type RunningProcess = { log: Log; stop(): Promise<void>; failed: Promise<unknown> }
