import type { Environment } from '../environments/environment.ts'
import { every, type Job } from '../scheduler/scheduler.ts'
import type { Store } from '../store.ts'
import { noteMemory } from './memory-history.ts'
import { readProcesses } from './probes/processes.ts'

/** Notes the memory of all processes once a minute. */
export const memoryJob = (store: Store, environments: () => readonly Environment[]): Job => ({
  name: 'memory of processes',
  next: every(60_000),
  boundMs: 30_000,
  run: async ({ now }) => {
    if (process.platform !== 'linux') return
    for (const { name, dataDir } of environments()) noteMemory(store, name, await readProcesses(dataDir, 0), now)
  },
})
