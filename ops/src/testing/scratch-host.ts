import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { environmentFolders, hostFolders } from '../environments/environment.ts'
import { environmentOf } from '../environments/host.ts'
import { initHost } from '../environments/init-host.ts'
import { canListen } from '../environments/port.ts'
import { createFrontClient } from '../front/front-client.ts'
import { openStore, type Store } from '../store.ts'

/** A prepared host in a temporary folder, with a keeper of its own for `staging` when asked; ends all of it when disposed. */
export type ScratchHost = AsyncDisposable & {
  hostDir: string
  store: Store
  /** Of staging's front. */
  publicUrl: string
  startKeeper(...flags: string[]): ChildProcess
}

const keeperMain = fileURLToPath(new URL('../keeper/keeper-main.ts', import.meta.url))

const slotCount = 10
/** How many ports a host has. */
export const portsOfHost = 3 + slotCount

/** `databaseUrl` null: staging runs its built-in PostgreSQL. `firstPort`: it and those after it, free ones unless given. */
export async function scratchHost(options: { databaseUrl: string | null; firstPort?: number }): Promise<ScratchHost> {
  const { firstPort } = options
  const hostDir = mkdtempSync(path.join(tmpdir(), 'dam-host-'))
  const [production = 0, staging = 0, ops = 0] =
    firstPort === undefined ? await freePorts(3) : [firstPort, firstPort + 1, firstPort + 2]
  const firstSlot = firstPort === undefined ? await freeBlock(slotCount) : firstPort + 3
  await initHost({
    hostDir,
    host: '127.0.0.1',
    ports: { production, staging, ops, firstSlot, lastSlot: firstSlot + slotCount - 1 },
  })
  if (options.databaseUrl !== null) {
    for (const name of ['staging', 'production']) {
      writeFileSync(environmentFolders(hostDir, name).settingsFile, `DATABASE_URL=${options.databaseUrl}\n`)
    }
  }
  const store = openStore(hostFolders(hostDir).ops)
  const keepers: ChildProcess[] = []
  return {
    hostDir,
    store,
    publicUrl: `http://127.0.0.1:${staging}`,
    startKeeper: (...flags) => {
      const keeper = spawn(process.execPath, [keeperMain, hostDir, 'staging', ...flags], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      keepers.push(keeper)
      return keeper
    },
    [Symbol.asyncDispose]: async () => {
      const isAlive = (keeper: ChildProcess) => keeper.exitCode === null && keeper.signalCode === null
      for (const keeper of keepers) if (isAlive(keeper)) keeper.kill('SIGTERM')
      const deadline = performance.now() + 20_000
      while (keepers.some(isAlive) && performance.now() < deadline) await sleep(20)
      for (const keeper of keepers) if (isAlive(keeper)) keeper.kill('SIGKILL')
      store.close()
      // A front outlives a keeper that was killed or left it.
      const { runDir } = environmentOf(hostDir, 'staging')
      const front = await createFrontClient(path.join(runDir ?? hostDir, 'front.sock'))
        .status()
        .catch(() => null)
      for (const pid of [...processesOf(hostDir), ...(front ? [front.pid] : [])]) process.kill(pid, 'SIGKILL')
      rmSync(hostDir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Processes of slots of the host, by the DAM_DATA they were started with. Linux. */
export function processesOf(hostDir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`DAM_DATA=${hostDir}/`)
      } catch {
        return false
      }
    })
    .map(Number)
}

/** The first of `count` free ports in a row, below those that Linux gives to clients, so that hosts beside each other do not meet. */
async function freeBlock(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + count * randomInt(1_200)
    const ports = Array.from({ length: count }, (_, i) => first + i)
    const free = await Promise.all(ports.map((port) => canListen('127.0.0.1', port)))
    if (free.every((isFree) => isFree)) return first
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', resolve)
      })
      return server
    }),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Waits until `found` gives something; throws with `what` after `boundMs`. */
export async function until<T>(what: string, found: () => T | Promise<T>, boundMs = 15_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + boundMs
  for (;;) {
    const value = await found()
    if (value !== null && value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`not within ${boundMs / 1000} s: ${what}`)
    await sleep(25)
  }
}
