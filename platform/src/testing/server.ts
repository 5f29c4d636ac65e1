import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { lockHolder } from '../exclusive-lock.ts'

/** Folder of the test server of this checkout and user. */
export const testServerDir = (): string => {
  const key = createHash('sha256')
    .update(import.meta.dirname)
    .digest('hex')
    .slice(0, 8)
  return join(tmpdir(), `dam-test-${userInfo().username}-${key}`)
}

export const readyFile = (dir: string): string => join(dir, 'ready.json')
export const keeperLock = (dir: string): string => join(dir, 'keeper.lock')

const patienceMs = 60_000

/**
 * The connection string of a PostgreSQL for tests: `external` when given, else the one that all test processes of
 * this checkout share. The first to ask starts its keeper, which ends it when nobody has been connected for a while.
 */
export async function testServer(external: string | undefined): Promise<string> {
  if (external) return external
  const dir = testServerDir()
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    if (lockHolder(keeperLock(dir)) === null) startKeeper(dir)
    for (let i = 0; i < 100; i++) {
      const ready = readReady(dir)
      if (ready && processAlive(ready.keeper)) return ready.connectionString
      await sleep(50)
    }
  }
  throw new Error(`The PostgreSQL for tests did not start in ${patienceMs / 1000} s; see ${join(dir, 'keeper.log')}`)
}

function startKeeper(dir: string): void {
  spawn(process.execPath, [fileURLToPath(new URL('./keeper.ts', import.meta.url)), dir], {
    detached: true,
    stdio: 'ignore',
  }).unref()
}

function readReady(dir: string): { keeper: number; connectionString: string } | null {
  try {
    return JSON.parse(readFileSync(readyFile(dir), 'utf8')) as { keeper: number; connectionString: string }
  } catch {
    return null
  }
}

function processAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
