import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSlot, findSlot, setDesired } from '../deployments/slot-store.ts'
import { hostFolders } from '../environments/environment.ts'
import { type Faults, installMiniature } from '../testing/miniature-release.ts'
import { processesOf, type ScratchHost, scratchHost, until } from '../testing/scratch-host.ts'
import { lastWords, slotLogFile } from './process-log.ts'

const noDatabase = 'postgresql://nobody@127.0.0.1:1/none'
let host: ScratchHost
beforeEach(async () => {
  host = await scratchHost({ databaseUrl: noDatabase })
})
afterEach(() => host[Symbol.asyncDispose]())

function slotOf(faults: Faults = {}, tag = 'v1.0.0') {
  const { hostDir, store } = host
  const { digest, releaseDir } = installMiniature(hostDir, store, { tag, faults })
  const { slotPorts } = JSON.parse(readFileSync(path.join(hostDir, 'host.json'), 'utf8')) as {
    slotPorts: { first: number }
  }
  return createSlot(
    store,
    { environment: 'staging', digest, tag, releaseDir, port: slotPorts.first, fencingToken: 1 },
    new Date(),
  )
}

const webOf = (id: string) => findSlot(host.store, id)?.observed?.web
const running = (id: string) =>
  until('the web process is up', () => {
    const web = webOf(id)
    return web?.state === 'running' ? web.pid : null
  })
const processesNamed = (id: string) =>
  processesOf(host.hostDir).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`DAM_PROCESS=${id}-web`)
    } catch {
      return false
    }
  })

describe('the keeper', () => {
  test('starts what the store wants, and stops it when it does not any more', async () => {
    const slot = slotOf()
    host.startKeeper()
    await running(slot.id)
    const ready = await fetch(`http://127.0.0.1:${slot.port}/readyz`)
    expect(ready.headers.get('x-dam-release')).toBe('v1.0.0')
    expect(findSlot(host.store, slot.id)?.observed?.worker.state).toBe('stopped')
    setDesired(host.store, slot.id, { desiredWorker: 'running' }, 1)
    await until('the worker is up', () => findSlot(host.store, slot.id)?.observed?.worker.state === 'running')
    setDesired(host.store, slot.id, { desiredWeb: 'stopped', desiredWorker: 'stopped' }, 1)
    await until('both are stopped', () => {
      const observed = findSlot(host.store, slot.id)?.observed
      return observed?.web.state === 'stopped' && observed.worker.state === 'stopped'
    })
    expect(webOf(slot.id)?.crashes).toBe(0)
    expect(processesNamed(slot.id)).toEqual([])
  })

  test('adopts what ran when it was killed, and never runs two processes of one slot', async () => {
    const slot = slotOf()
    const pids = new Set<number>()
    for (let round = 0; round < 6; round++) {
      const keeper = host.startKeeper()
      if (round > 0) await sleep(round * 120)
      if (round === 0 || round === 5) pids.add(await running(slot.id))
      keeper.kill('SIGKILL')
      await until('the keeper is gone', () => keeper.signalCode !== null || keeper.exitCode !== null)
      expect(processesNamed(slot.id).length).toBeLessThanOrEqual(1)
    }
    expect(pids.size).toBe(1)
    expect(webOf(slot.id)?.crashes).toBe(0)
    expect((await fetch(`http://127.0.0.1:${slot.port}/health`)).status).toBe(200)
  })

  test('a keeper killed in the very moment of a start leaves one process, not two', async () => {
    const slot = slotOf()
    for (const delayMs of [250, 300, 350, 400, 450, 500]) {
      const keeper = host.startKeeper()
      await sleep(delayMs)
      keeper.kill('SIGKILL')
    }
    host.startKeeper()
    await running(slot.id)
    expect(processesNamed(slot.id)).toHaveLength(1)
    expect(webOf(slot.id)?.pid).toBe(processesNamed(slot.id)[0])
  })

  test('starts a process again that was killed, and counts it', async () => {
    const slot = slotOf()
    host.startKeeper()
    const pid = await running(slot.id)
    process.kill(pid, 'SIGKILL')
    await until('another process is up', () => {
      const web = webOf(slot.id)
      return web?.state === 'running' && web.pid !== pid
    })
    expect(webOf(slot.id)).toMatchObject({ crashes: 1, lastExit: 'SIGKILL' })
    expect(webOf(slot.id)?.crashedAt).toHaveLength(1)
  })

  test('counts the crashes of a release that does not start, ever more slowly, and keeps what it said', async () => {
    const slot = slotOf({ crashAtBoot: true })
    host.startKeeper()
    await until('three crashes', () => (webOf(slot.id)?.crashes ?? 0) >= 3)
    expect(webOf(slot.id)).toMatchObject({ lastExit: 'code 1', pid: null })
    expect(lastWords(slotLogFile(hostFolders(host.hostDir).logs, slot.id))).toContain('flux-capacitor')
  })

  test('ends a process that holds more memory than it may', async () => {
    const slot = slotOf({ leakMegabytesPerSecond: 200 })
    host.startKeeper('--memory-bound', '300', '--memory-patience', '1')
    await until('it was ended', () => webOf(slot.id)?.lastExit === 'memory over its bound', 30_000)
    expect(webOf(slot.id)?.crashes).toBe(1)
  })

  test('stops everything on SIGTERM and leaves it running on SIGUSR2', async () => {
    const slot = slotOf()
    const first = host.startKeeper()
    const pid = await running(slot.id)
    first.kill('SIGUSR2')
    await until('the keeper is gone', () => first.exitCode !== null)
    expect(processesNamed(slot.id)).toEqual([pid])
    const second = host.startKeeper()
    await sleep(800)
    second.kill('SIGTERM')
    await until('the keeper is gone', () => second.exitCode !== null)
    expect(processesNamed(slot.id)).toEqual([])
    expect(findSlot(host.store, slot.id)?.desiredWeb).toBe('running')
    const files = readdirSync(path.join(host.hostDir, 'environments/staging/run'))
    expect(files.filter((file) => file.endsWith('.process'))).toEqual([])
  })
})
