import { isDeepStrictEqual } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from '@dam/platform/process-identity'
import type { Pointer } from '../front/front-api.ts'
import { type FrontClient, FrontRefusal } from '../front/front-client.ts'
import { type StartedFront, startFront } from '../front/start-front.ts'
import type { FrontKeeping } from './keep-environment.ts'

const stopBoundMs = 130_000
const delaysMs = [500, 1_000, 2_000, 5_000, 10_000]

/** Keeps the front process of an environment: it outlives every keeper, and the one that answers its control socket is it. */
export function keepFront(options: {
  runDir: string
  host: string
  port: number
  say: (message: string) => void
}): FrontKeeping {
  const { say } = options
  let known: StartedFront | undefined
  let failures = 0
  let notBefore = 0
  return {
    ensure: async () => {
      if (performance.now() < notBefore) return
      try {
        const before = known
        known = await startFront(options)
        failures = 0
        if (!known.wasRunning) say(`front process ${known.status.pid} started${before ? ' again' : ''}`)
      } catch (error) {
        known = undefined
        notBefore = performance.now() + (delaysMs[Math.min(failures++, delaysMs.length - 1)] ?? 0)
        throw error
      }
    },
    agree: async (pointer) => {
      if (known && !isDeepStrictEqual(known.status.pointer, pointer)) await repair(known.client, pointer, say)
    },
    stop: async () => {
      const pid = (await known?.client.status().catch(() => known?.status))?.pid ?? 0
      const identity = processIdentity(pid)
      if (!identity) return
      const isAlive = () => processIdentity(pid)?.startedAt === identity.startedAt
      process.kill(pid, 'SIGTERM')
      const deadline = performance.now() + stopBoundMs
      while (isAlive() && performance.now() < deadline) await sleep(20)
      if (isAlive()) process.kill(pid, 'SIGKILL')
    },
  }
}

/** The store is the truth. A 409 means that a newer pointer got there first: the next look compares again. */
async function repair(client: FrontClient, pointer: Pointer, say: (message: string) => void): Promise<void> {
  try {
    const { fencingToken } = (await client.status()).pointer
    if (fencingToken >= pointer.fencingToken) return
    await client.switchTo(pointer)
    say(`the front routes to ${pointer.active?.slot ?? 'nothing'} as the store says`)
  } catch (error) {
    if (!(error instanceof FrontRefusal) || error.status !== 409) throw error
  }
}
