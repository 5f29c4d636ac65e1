import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { listSlots } from '@dam/ops/src/deployments/slot-store.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import { processIdentity } from '@dam/platform/process-identity'
import type { Store } from '@dam/ops/src/store.ts'

/**
 * Ends the application's processes of an environment in order; whoever looks after them (the keeper, `./dam up`) starts them again, and
 * they remember nothing of the database they had. Returns how many there were.
 */
export async function restartApplication(environment: Environment, store: Store): Promise<number> {
  const pids = environment.isLocal ? await childrenOfUp(environment.dataDir) : pidsOfSlots(store, environment.name)
  const ours = pids.filter((pid) => /^dam: (?:web|worker)\b/.test(processIdentity(pid)?.commandLine ?? ''))
  for (const pid of ours) process.kill(pid, 'SIGTERM')
  return ours.length
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
