import type { Log } from '@dam/platform/log'
import type { Config } from './config.ts'

export type ProcessInput = { config: Config; connectionString: string; version: string }

/** What `main.ts` needs of a process it started. `failed` settles only when the process cannot go on. */
export type RunningProcess = { log: Log; stop(): Promise<void>; failed: Promise<unknown> }
