import { readMaintenanceFile } from '@dam/platform/maintenance-file'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { listAudit } from '../audit/audit.ts'
import { saveBackup } from '../backup/backup-store.ts'
import { acquireLease } from '../deployments/lease-store.ts'
import type { Environment } from '../environments/environment.ts'
import { runEscalation } from '../escalation/run-escalation.ts'
import { listIncidents } from '../incidents/incident-store.ts'
import { listOutbox } from '../notify/outbox-store.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { scratchStore } from '../testing/scratch-store.ts'
import { attest } from '../verification/attestation-store.ts'
import type { FrontClient } from '../front/front-client.ts'
import { enterMaintenance, type EnterDeps } from './enter-maintenance.ts'
import { leaveMaintenance } from './leave-maintenance.ts'
import { createMaintenance, isMutedByMaintenance } from './maintain.ts'
import { cancelWindow, moveWindow, planWindow } from './plan-window.ts'
import { listNotices, readWindow } from './window-store.ts'

const hour = 3_600_000

function scene(isLocal = true) {
  const store = scratchStore()
  const { policy: shipped } = readPolicy()
  // Windows of the policy would stand beside those of the tests.
  const policy = { ...shipped, maintenance: { ...shipped.maintenance, windows: [] } }
  const environment: Environment = {
    name: isLocal ? 'local' : 'production',
    isLocal,
    publicUrl: 'http://127.0.0.1:9',
    host: '127.0.0.1',
    port: 9,
    dataDir: path.join(store.folder, 'data'),
    databaseUrl: null,
    runDir: isLocal ? null : store.folder,
    settings: {},
  }
  const clock = { now: new Date('2026-03-03T10:00:00Z') }
  const wait = (ms: number): void => void (clock.now = new Date(clock.now.getTime() + ms))
  const said: string[] = []
  const deps: EnterDeps & { consoleUrl: string } = {
    consoleUrl: 'http://localhost:8081',
    store,
    policy,
    environment,
    front: null,
    who: 'anna',
    now: () => clock.now,
    hostDir: null,
    opsDir: store.folder,
    say: (text) => void said.push(text),
    createBackup: async () => {
      const at = clock.now.toISOString()
      const id = `${at.replaceAll(/[-:.]/g, '')}-local`
      saveBackup(store, {
        id,
        environment: environment.name,
        state: 'ok',
        startedAt: at,
        endedAt: at,
        folder: store.folder,
        sizeBytes: 1,
        schemaNumber: 1,
        message: '',
        facts: {},
      })
      return { id }
    },
  }
  const maintenance = createMaintenance({
    store,
    policy: () => policy,
    environments: () => [environment],
    consoleUrl: 'http://localhost:8081',
    onError: (_, error) => {
      throw error
    },
  })
  const turn = () => maintenance.turn(clock.now).map(({ kind }) => kind)
  const plan = (lengthMs = 2 * hour) =>
    planWindow(
      store,
      {
        environment: environment.name,
        from: clock.now,
        until: new Date(clock.now.getTime() + lengthMs),
        reason: 'a new disk',
        mode: 'read-only',
      },
      { who: 'anna', policy: policy.maintenance, now: clock.now },
    )
  const titles = () => listOutbox(store, { limit: 200 }).map(({ message }) => message.title)
  return {
    store,
    policy,
    environment,
    clock,
    wait,
    deps,
    turn,
    plan,
    titles,
    said,
    [Symbol.dispose]: () => store[Symbol.dispose](),
  }
}

test('maintenance begins only when its checklist is met, makes its own backup, and shows itself to the web process', async () => {
  using all = scene()
  const { deps, store, environment, clock, wait } = all
  await expect(enterMaintenance(deps, { windowId: undefined, mode: 'read-only', override: null })).rejects.toThrow(
    'No window is planned',
  )
  const { id } = all.plan()
  expect(all.turn()).toEqual(['start'])
  wait(60_000)
  await expect(enterMaintenance(deps, { windowId: id, mode: 'read-only', override: null })).rejects.toThrow(
    'Team on standby',
  )
  expect(all.said).toEqual(['no backup is fresh, so one is made now'])
  attest(
    store,
    `maintenance:${id}`,
    { item: 'standby', by: 'ben', note: 'Anna and I are here', expiresAt: new Date(clock.now.getTime() + hour) },
    clock.now,
  )
  const { lines } = await enterMaintenance(deps, { windowId: id, mode: 'read-only', override: null })
  expect(lines.map(({ item, state }) => `${item} ${state}`)).toEqual([
    'notified pass',
    'scheduled pass',
    'backup pass',
    'rollback pass',
    'standby attested',
  ])
  expect(readMaintenanceFile(environment.dataDir)).toMatchObject({
    enforcedBy: 'web',
    current: { mode: 'read-only', reason: 'a new disk' },
  })
  expect(isMutedByMaintenance(store, 'local')).toBe(true)
  await expect(enterMaintenance(deps, { windowId: id, mode: 'full', override: null })).rejects.toThrow(
    'is in maintenance since',
  )

  wait(hour)
  writeFileSync(path.join(store.folder, 'heartbeat.json'), JSON.stringify({ at: clock.now.toISOString() }))
  const left = await leaveMaintenance(deps)
  expect(all.titles()[0]).toBe('Maintenance is over')
  expect(all.turn()).toEqual([])
  expect(readMaintenanceFile(environment.dataDir)).toMatchObject({ current: null, upcoming: null })
  expect(isMutedByMaintenance(store, 'local')).toBe(false)
  expect(left.data.report).toMatchObject({ durationMs: hour, mode: 'read-only', requestsRefused: null })
  expect(left.data.report?.deviations).toContain('ended 59 min before the announced time')
  expect(left.data.report?.checklist).toContainEqual(
    expect.objectContaining({ list: 'after', title: 'Users notified', state: 'pass' }),
  )
  expect(left.data.report?.steps.map(({ what }) => what)).toEqual(['planned', 'backup', 'entered', 'left'])
})

test('an override needs a reason, which is audited and is a deviation in the report', async () => {
  using all = scene()
  const { id } = all.plan()
  await enterMaintenance(all.deps, { windowId: id, mode: 'full', override: 'the disk is dying' })
  expect(listAudit(all.store, { limit: 5, action: 'maintenance.start' })[0]?.detail).toMatchObject({
    overridden: ['notified', 'standby'],
    reason: 'the disk is dying',
  })
  const left = await leaveMaintenance(all.deps)
  expect(left.data.report?.deviations).toContain('anna overrode "standby": the disk is dying')
})

test('an overrun extends what was announced, calls level 1 and 2 together, and ends with the window', async () => {
  using all = scene()
  const { store, policy, clock, wait } = all
  const { id } = all.plan()
  all.turn()
  await enterMaintenance(all.deps, { windowId: id, mode: 'read-only', override: 'alone' })
  wait(2 * hour - 60_000)
  expect(all.turn()).toEqual(['no-return'])
  wait(2 * 60_000)
  expect(all.turn()).toEqual(['extended'])
  expect(all.turn()).toEqual([])
  expect(readWindow(store, id).endsAt).toBe('2026-03-03T12:30:00.000Z')
  expect(all.titles()).toContain('Maintenance takes longer, until about 12:30 UTC')
  const [incident] = listIncidents(store, { state: 'unresolved', limit: 5 })
  expect(incident).toMatchObject({ severity: 'P1', dedupKey: 'local/maintenance-overrun' })
  const person = (id: string) => ({
    id,
    name: id,
    phone: '',
    email: `${id}@dam.local`,
    slack: '',
    pagerduty: '',
    level: 1,
  })
  const staffed = {
    ...policy,
    people: [person('ben'), person('lena')],
    oncall: { ...policy.oncall, rotation: ['ben'] },
    escalation: {
      ...policy.escalation,
      levels: policy.escalation.levels.map((level) => (level.level === 2 ? { ...level, to: ['lena'] } : level)),
    },
  }
  runEscalation(store, { policy: staffed, consoleUrl: '', now: clock.now })
  const calls = listOutbox(store, { subject: `incident:${incident?.id}`, limit: 20 }).map(({ message }) => message.text)
  expect([...new Set(calls)].toSorted()).toEqual([
    'Level 1 (On-call engineer) is called: ben, because new incident.',
    'Level 2 (Team lead) is called: lena, because not acknowledged for 15 min.',
  ])
  await leaveMaintenance(all.deps)
  expect(listIncidents(store, { state: 'unresolved', limit: 5 })).toEqual([])
  expect(all.titles()[0]).toBe('Maintenance is over')
})

test('who was told of a window is told of its change and that it is off, once', () => {
  using all = scene()
  const { store, policy, clock, wait } = all
  const from = new Date(clock.now.getTime() + 48 * hour)
  const by = { who: 'anna', policy: policy.maintenance, now: clock.now }
  const window = planWindow(
    store,
    { environment: 'local', from, until: new Date(from.getTime() + hour), reason: 'x', mode: 'read-only' },
    by,
  )
  expect(all.turn()).toEqual(['advance'])
  expect(readMaintenanceFile(all.environment.dataDir)?.upcoming).toMatchObject({ startsAt: from.toISOString() })
  const later = new Date(from.getTime() + 24 * hour)
  moveWindow(store, window.id, { from: later, until: new Date(later.getTime() + hour) }, by)
  expect([all.turn(), all.turn()]).toEqual([['changed'], []])
  wait(71 * hour)
  expect(all.turn()).toEqual(['reminder'])
  cancelWindow(store, window.id, 'not needed', { who: 'anna', now: clock.now })
  expect([all.turn(), all.turn()]).toEqual([['cancelled'], []])
  wait(2 * hour)
  expect(all.turn()).toEqual([])
  expect(
    listNotices(store, window.id)
      .filter(({ sentAt }) => sentAt === null)
      .map(({ kind }) => kind),
  ).toEqual(['start', 'end'])
})

test('on a host a running deployment has the lock: maintenance is refused and says who has it', async () => {
  using all = scene(false)
  const { store, clock } = all
  const pointers: unknown[] = []
  const front = {
    switchTo: async (pointer: unknown) => void pointers.push(pointer),
    outcomes: async () => ({ seq: 1, buckets: [], badRequests: [] }),
  } as unknown as FrontClient
  const deps = { ...all.deps, front }
  const { id } = all.plan()
  acquireLease(store, { environment: 'production', who: 'ben', purpose: 'deploying v1.2.3', now: clock.now })
  await expect(enterMaintenance(deps, { windowId: id, mode: 'read-only', override: 'x' })).rejects.toThrow(
    'locked: ben, deploying v1.2.3',
  )
  expect(readWindow(store, id).state).toBe('scheduled')
  clock.now = new Date(clock.now.getTime() + 31_000)
  await enterMaintenance(deps, { windowId: id, mode: 'read-only', override: 'x' })
  expect(pointers.at(-1)).toMatchObject({
    maintenance: { mode: 'read-only', reason: 'a new disk', until: '2026-03-03T12:00:00.000Z' },
  })
  expect(readMaintenanceFile(all.environment.dataDir)).toMatchObject({ enforcedBy: 'front' })
  await leaveMaintenance(deps)
  expect(pointers.at(-1)).toMatchObject({ maintenance: null })
})
