import { setTimeout as sleep } from 'node:timers/promises'
import { type EmbeddedPostgres, startPostgres } from '@dam/platform/postgres/start'
import { readPointer } from '../deployments/pointer-store.ts'
import { isInUse, listSlots, writeObserved } from '../deployments/slot-store.ts'
import type { SlotObservation } from '../deployments/deployment.ts'
import { environmentOf } from '../environments/host.ts'
import type { Store } from '../store.ts'
import { keepSlot, type SlotProcesses } from './slot-processes.ts'

export type KeeperOptions = {
  hostDir: string
  name: string
  store: Store
  front: FrontKeeping
  memoryBoundBytes: number | null
  memoryPatienceMs: number
  say: (message: string) => void
}

/** What the keeper asks of the front process. */
export type FrontKeeping = {
  /** Starts it, or takes over the one that runs; called every tick, does nothing while it answers. */
  ensure(): Promise<void>
  /** Makes it route as the store says. */
  agree(pointer: NonNullable<ReturnType<typeof readPointer>>): Promise<void>
  stop(): Promise<void>
}

export type Keeper = {
  /** Ends everything in order: front, web, worker, database. */
  stop(): Promise<void>
  /** Ends looking after it; everything keeps running and is adopted by the next keeper. */
  leave(): Promise<void>
}

const tickMs = 500
const observedAtLeastEveryMs = 5_000
const databaseDelaysMs = [1_000, 2_000, 5_000, 10_000, 30_000]

/** Makes what runs of an environment what the store says should run, every 500 ms. */
export function keepEnvironment(options: KeeperOptions): Keeper {
  const { hostDir, name, store, front, say } = options
  const environment = environmentOf(hostDir, name)
  if (environment.runDir === null)
    throw new Error(`${name} has no run folder; a keeper is for environments of a prepared host.`)
  const { runDir } = environment
  const slots = new Map<string, SlotProcesses>()
  const written = new Map<string, { text: string; atMs: number }>()
  let postgres: EmbeddedPostgres | undefined
  let databaseUrl = environment.databaseUrl
  let mode: 'keep' | 'stop' | 'leave' = 'keep'
  let frontBusy: Promise<void> | undefined

  const bringDatabase = async (): Promise<void> => {
    for (let attempt = 0; databaseUrl === null && mode === 'keep'; attempt++) {
      try {
        postgres = await startPostgres({ dataDir: environment.dataDir, log: { info: say, warn: say } })
        databaseUrl = postgres.connectionString
      } catch (error) {
        say(`the database of ${name} does not start: ${messageOf(error)}`)
        await sleep(databaseDelaysMs[Math.min(attempt, databaseDelaysMs.length - 1)])
      }
    }
  }

  const keepFront = async (): Promise<void> => {
    try {
      await front.ensure()
      const pointer = readPointer(store, name)
      if (pointer) await front.agree(pointer)
    } catch (error) {
      say(`the front of ${name}: ${messageOf(error)}`)
    }
  }

  const observe = (id: string, processes: SlotProcesses, now: Date): void => {
    const observed: SlotObservation = {
      at: now.toISOString(),
      web: processes.web.observation,
      worker: processes.worker.observation,
    }
    const text = JSON.stringify([
      { ...observed.web, rssBytes: 0 },
      { ...observed.worker, rssBytes: 0 },
    ])
    const before = written.get(id)
    if (before?.text === text && now.getTime() - before.atMs < observedAtLeastEveryMs) return
    writeObserved(store, id, observed)
    written.set(id, { text, atMs: now.getTime() })
  }

  /** Whether anything still runs. */
  const reconcile = (now: Date): boolean => {
    let isAnyRunning = false
    for (const slot of listSlots(store, name)) {
      if (!isInUse(slot) && !slots.has(slot.id)) continue
      const known = slots.get(slot.id)
      const processes =
        known ??
        keepSlot({
          hostDir,
          runDir,
          slot,
          environment: () => environmentOf(hostDir, name),
          databaseUrl: () => databaseUrl ?? '',
          memoryBoundBytes: options.memoryBoundBytes,
          memoryPatienceMs: options.memoryPatienceMs,
          say,
        })
      slots.set(slot.id, processes)
      const wanted = (desired: 'running' | 'stopped') => (mode === 'stop' || databaseUrl === null ? 'stopped' : desired)
      processes.web.reconcile(wanted(slot.desiredWeb), now)
      processes.worker.reconcile(wanted(slot.desiredWorker), now)
      observe(slot.id, processes, now)
      const isRunning = processes.web.observation.pid !== null || processes.worker.observation.pid !== null
      isAnyRunning ||= isRunning
      if (!isRunning && slot.desiredWeb === 'stopped' && slot.desiredWorker === 'stopped') slots.delete(slot.id)
    }
    return isAnyRunning
  }

  const run = async (): Promise<void> => {
    const database = bringDatabase()
    while (mode === 'keep') {
      // Slots that a killed keeper left are adopted only when the database is known: until then nothing is stopped.
      if (databaseUrl !== null) reconcileOrSay()
      frontBusy ??= keepFront().finally(() => (frontBusy = undefined))
      await sleep(tickMs)
    }
    await database
    await frontBusy
  }

  const reconcileOrSay = (): boolean => {
    try {
      return reconcile(new Date())
    } catch (error) {
      say(`looking after ${name} failed, trying again: ${messageOf(error)}`)
      return true
    }
  }

  const running = run()
  return {
    stop: async () => {
      if (mode === 'keep') mode = 'stop'
      await running
      await front.stop()
      while (reconcileOrSay()) await sleep(50)
      await postgres?.stop()
    },
    leave: async () => {
      if (mode === 'keep') mode = 'leave'
      await running
    },
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
