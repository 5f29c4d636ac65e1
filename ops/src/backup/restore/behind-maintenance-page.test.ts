import { expect, test } from 'vitest'
import { acquireLease, LeaseError, livingHolder } from '../../deployments/lease-store.ts'
import { readPointer, writePointer } from '../../deployments/pointer-store.ts'
import type { Environment } from '../../environments/environment.ts'
import type { FrontStatus, Pointer } from '../../front/front-api.ts'
import { type FrontClient, FrontUnreachable } from '../../front/front-client.ts'
import { scratchStore } from '../../testing/scratch-store.ts'
import { behindMaintenancePage } from './behind-maintenance-page.ts'

const environment: Environment = {
  name: 'production',
  isLocal: false,
  publicUrl: 'http://127.0.0.1:9',
  host: '127.0.0.1',
  port: 9,
  dataDir: '/nowhere',
  databaseUrl: null,
  runDir: '/nowhere',
  settings: {},
}

function scene(maintenance: Pointer['maintenance'] = null) {
  const store = scratchStore()
  const pointer: Pointer = {
    environment: 'production',
    fencingToken: 0,
    active: { slot: 'production-1', tag: 'v1.0.0', port: 1 },
    control: null,
    maintenance,
  }
  store.transaction(() => writePointer(store, pointer, new Date()))
  const shown: Pointer[] = []
  const inFlight: FrontStatus['inFlight'][] = []
  const status = async () => ({ inFlight: inFlight.shift() ?? [] }) as unknown as FrontStatus
  const front = {
    status,
    switchTo: (next: Pointer) => {
      shown.push(next)
      return status()
    },
  } as FrontClient
  const place = { store, environment, front, who: 'anna', now: () => new Date() }
  return { store, place, shown, inFlight, front, page: () => shown.map((one) => one.maintenance?.reason ?? null) }
}

const reason = 'A backup is being restored'

test('users see the page before anything is exchanged, requests in flight end first, and the lock is held', async () => {
  const { store, place, page, inFlight, shown } = scene()
  const upload = [{ slot: 'production-1', routeClass: 'upload' as const, count: 1 }]
  const stream = [{ slot: 'production-1', routeClass: 'stream' as const, count: 5 }]
  // The first look is whether the front is there.
  inFlight.push([], [], upload, upload, stream)
  await behindMaintenancePage(place, async () => {
    expect(page()).toEqual([reason])
    expect(inFlight).toEqual([])
    expect(livingHolder(store, 'production', new Date())?.purpose).toBe('restores a backup')
    return { stays: false }
  })
  expect(page()).toEqual([reason, null])
  expect(shown[1]?.fencingToken).toBeGreaterThan(shown[0]?.fencingToken ?? 0)
  expect(livingHolder(store, 'production', new Date())).toBeNull()
})

test('maintenance that was under way goes on afterwards; a page that a killed restore left goes', async () => {
  const readOnly = { mode: 'read-only' as const, reason: 'new disks', until: null }
  const planned = scene(readOnly)
  await behindMaintenancePage(planned.place, async () => ({ stays: false }))
  expect(readPointer(planned.store, 'production')?.maintenance).toEqual(readOnly)
  const left = scene({ mode: 'full', reason, until: null })
  await behindMaintenancePage(left.place, async () => ({ stays: false }))
  expect(readPointer(left.store, 'production')?.maintenance).toBeNull()
})

test('the page goes when nothing was exchanged and stays when the application is not ready', async () => {
  const refused = scene()
  await expect(
    behindMaintenancePage(refused.place, async () => {
      throw new Error('somebody holds the database')
    }),
  ).rejects.toThrow('somebody holds the database')
  expect(refused.page()).toEqual([reason, null])
  const unready = scene()
  await behindMaintenancePage(unready.place, async () => ({ stays: true }))
  expect(readPointer(unready.store, 'production')?.maintenance?.reason).toBe(reason)
})

test('nothing is exchanged while somebody else has the lock; without a front nobody needs the page', async () => {
  const { store, place, shown } = scene()
  acquireLease(store, { environment: 'production', who: 'boris', purpose: 'deploys v1.0.1', now: new Date() })
  let exchanged = 0
  const work = async () => {
    exchanged++
    return { stays: false }
  }
  await expect(behindMaintenancePage(place, work)).rejects.toThrow(LeaseError)
  expect([exchanged, shown.length]).toEqual([0, 0])
  const stopped = scene()
  stopped.front.status = () => Promise.reject(new FrontUnreachable('/nowhere/front.sock', new Error('ENOENT')))
  await behindMaintenancePage(stopped.place, work)
  expect([exchanged, stopped.shown.length]).toEqual([1, 0])
})
