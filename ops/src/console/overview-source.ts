import type { Environment } from '../environments/environment.ts'
import type { Store } from '../store.ts'
import type { Probes } from './probe-environments.ts'

/** What is asked to say how everything is. */
export type OverviewSource = { store: Store; environments: () => readonly Environment[]; probes: Probes }
