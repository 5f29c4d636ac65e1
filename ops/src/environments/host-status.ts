import path from 'node:path'
import { lockHolder } from '@dam/platform/exclusive-lock'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { listDeployments } from '../deployments/deployment-store.ts'
import type { Deployment, Slot } from '../deployments/deployment.ts'
import { type LeaseHolder, livingHolder } from '../deployments/lease-store.ts'
import { readPointer } from '../deployments/pointer-store.ts'
import { isInUse, listSlots } from '../deployments/slot-store.ts'
import type { FrontStatus, Pointer } from '../front/front-api.ts'
import { createFrontClient } from '../front/front-client.ts'
import type { Store } from '../store.ts'
import type { Environment } from './environment.ts'

export type EnvironmentStatus = {
  environment: string
  publicUrl: string
  /** Process number, or null: nobody looks after it. */
  keeper: number | null
  /** Process number and what it routes to, or null: it does not answer. */
  front: Pick<FrontStatus, 'pid' | 'pointer' | 'connections'> | null
  database: { kind: 'external' } | { kind: 'built-in'; pid: number | null; isReady: boolean }
  /** As the store has it; undefined before the first deployment. */
  pointer: Pointer | undefined
  slots: Slot[]
  lock: LeaseHolder | null
  lastDeployment: Deployment | undefined
}

/** What runs of an environment now. Changes nothing. */
export async function environmentStatus(store: Store, environment: Environment, now: Date): Promise<EnvironmentStatus> {
  const { name, runDir, databaseUrl, dataDir } = environment
  const front =
    runDir === null
      ? null
      : await createFrontClient(path.join(runDir, 'front.sock'))
          .status()
          .catch(() => null)
  const postgres = databaseUrl === null ? describeRunningPostgres(dataDir) : null
  return {
    environment: name,
    publicUrl: environment.publicUrl,
    keeper: runDir === null ? null : keeperOf(runDir),
    front: front && { pid: front.pid, pointer: front.pointer, connections: front.connections },
    database:
      databaseUrl === null
        ? { kind: 'built-in', pid: postgres?.pid ?? null, isReady: postgres?.ready ?? false }
        : { kind: 'external' },
    pointer: readPointer(store, name),
    slots: listSlots(store, name).filter(isInUse),
    lock: livingHolder(store, name, now),
    lastDeployment: listDeployments(store, { environment: name, limit: 1 })[0],
  }
}

/** Process number of the living keeper of an environment. */
export function keeperOf(runDir: string): number | null {
  const pid = lockHolder(path.join(runDir, 'keeper.lock'))?.['pid']
  return typeof pid === 'number' ? pid : null
}
