import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { listSlots } from '@dam/ops/src/deployments/slot-store.ts'
import { readPointer } from '@dam/ops/src/deployments/pointer-store.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import { processIdentity } from '@dam/platform/process-identity'
import type { Store } from '@dam/ops/src/store.ts'

const readyWithinMs = 90_000

export type Restart = {
  /** How many processes there were. */
  processes: number
  /** What the web process that serves last said instead of being ready in time; null when it is ready, or none serves. */
  notReady: string | null
  /** Until it was ready; null where nobody waited. */
  tookMs: number | null
}

/**
 * Ends the application's processes of an environment in order; whoever looks after them (the keeper, `./dam up`) starts them again, and
 * they remember nothing of the database they had. On a host it waits until the one that serves is ready.
 */
export async function restartApplication(environment: Environment, store: Store): Promise<Restart> {
  const pids = environment.isLocal ? await childrenOfUp(environment.dataDir) : pidsOfSlots(store, environment.name)
  const ours = pids.flatMap((pid) => {
    const identity = processIdentity(pid)
    return identity && /^dam: (?:web|worker)\b/.test(identity.commandLine) ? [identity] : []
  })
  for (const { pid } of ours) process.kill(pid, 'SIGTERM')
  const active = environment.isLocal ? null : readPointer(store, environment.name)?.active
  const startedAt = performance.now()
  const deadline = startedAt + readyWithinMs
  const isThere = ({ pid, startedAt }: (typeof ours)[number]) => processIdentity(pid)?.startedAt === startedAt
  while (active && ours.some(isThere) && performance.now() < deadline) await sleep(100)
  if (!active || ours.length === 0) return { processes: ours.length, notReady: null, tookMs: null }
  const notReady = await waitUntilReady(active.port, deadline)
  return { processes: ours.length, notReady, tookMs: performance.now() - startedAt }
}

async function waitUntilReady(port: number, deadline: number): Promise<string | null> {
  for (;;) {
    const said = await askReady(port)
    if (said === null || performance.now() > deadline) return said
    await sleep(200)
  }
}

async function askReady(port: number): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) })
    const body = await response.text()
    return response.ok ? null : `${response.status}: ${body.slice(0, 300)}`
  } catch (error) {
    return `no answer (${error instanceof Error ? error.message : String(error)})`
  }
}

async function childrenOfUp(dataDir: string): Promise<number[]> {
  const holder = path.join(dataDir, 'up.lock.holder')
  if (!existsSync(holder)) return []
  const { pid } = JSON.parse(readFileSync(holder, 'utf8')) as { pid: number }
  const children = await promisify(execFile)('pgrep', ['-P', String(pid)]).catch(() => ({ stdout: '' }))
  return children.stdout.split('\n').filter(Boolean).map(Number)
}

const pidsOfSlots = (store: Store, environment: string): number[] =>
  listSlots(store, environment).flatMap(({ observed }) => [observed?.web.pid ?? 0, observed?.worker.pid ?? 0])
