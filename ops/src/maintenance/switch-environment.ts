import type { Environment } from '../environments/environment.ts'
import { type HeldLease, holdLease } from '../deployments/held-lease.ts'
import { openDeployment } from '../deployments/deployment-store.ts'
import { readPointer, writePointer } from '../deployments/pointer-store.ts'
import type { FrontClient } from '../front/front-client.ts'
import { emptyPointer } from '../front/pointer.ts'
import type { Pointer } from '../front/front-api.ts'
import type { Store } from '../store.ts'

/** What was asked cannot be done now; the message says why and what can be. */
export class MaintenanceRefused extends Error {
  override readonly name = 'MaintenanceRefused'
}

export type Switch = {
  store: Store
  environment: Environment
  /** Null: no front process, the web process reads what is published. */
  front: FrontClient | null
  who: string
  now: () => Date
}

/**
 * Writes a deed together with what the front of the environment shall answer, under the environment's lock, and tells the front. A
 * deployment that runs has the lock: then it is refused, saying who has it. Killed after the write, the keeper makes the front agree.
 */
export async function switchEnvironment(
  { store, environment, front, who, now }: Switch,
  purpose: string,
  work: () => Pointer['maintenance'],
): Promise<void> {
  if (environment.isLocal || !front) {
    store.transaction(() => void work())
    return
  }
  assertNoDeployment(store, environment)
  using lease: HeldLease = holdLease(store, { environment: environment.name, who, purpose, now })
  const pointer = lease.transaction(() => {
    const maintenance = work()
    const before = readPointer(store, environment.name) ?? emptyPointer(environment.name)
    const next: Pointer = { ...before, fencingToken: lease.nextToken(), maintenance }
    writePointer(store, next, now())
    return next
  })
  await front.switchTo(pointer)
}

/** Throws MaintenanceRefused while a deployment is under way. */
export function assertNoDeployment(store: Store, environment: Environment): void {
  const open = openDeployment(store, environment.name)
  if (open)
    throw new MaintenanceRefused(
      `Deployment ${open.id} of ${open.tag} by ${open.requestedBy} is ${open.state}. Wait for it: ./dam deployments ${open.id}`,
    )
}
