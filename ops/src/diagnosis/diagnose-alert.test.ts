import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Environment } from '../environments/environment.ts'
import { runEscalation } from '../escalation/run-escalation.ts'
import { announceIncidents } from '../incidents/announce-incidents.ts'
import { findIncident, listIncidentEvents, openIncident } from '../incidents/incident-store.ts'
import type { Message } from '../notify/message.ts'
import { readPolicy, shippedPolicyFile } from '../policy/read-policy.ts'
import { openStore, type Store } from '../store.ts'
import { openAlertDiagnosis } from './diagnose-alert.ts'
import { listDiagnoses } from './diagnosis-store.ts'

const { policy } = readPolicy(shippedPolicyFile)
const rule = policy.alerts.find(({ name }) => name === 'response-time-high')
let folder: string
let store: Store
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-diagnosis-'))
  store = openStore(folder, { durability: 'none' })
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})
// Nothing runs there: a diagnosis has to say so.
const environment = (): Environment => ({
  name: 'local',
  isLocal: true,
  publicUrl: 'http://127.0.0.1:1',
  host: '127.0.0.1',
  port: 1,
  dataDir: folder,
  databaseUrl: null,
  runDir: null,
  settings: {},
})
const incidentOf = (severity: 'P0' | 'P1', now: Date) =>
  openIncident(store, {
    environment: 'local',
    severity,
    title: `Something of ${severity}`,
    cause: '',
    dedupKey: severity,
    openedBy: 'dam: ops',
    evidence: { rules: ['response-time-high'] },
    now,
  }).incident
const messages = (subject: string): Message[] =>
  store
    .rows<{ message: string }>('select message from outbox where subject = ? order by id', subject)
    .map(({ message }) => JSON.parse(message) as Message)

test('the announcement of a P1 holds its diagnosis, that of a P0 does not wait for it and is updated', async () => {
  if (!rule) throw new Error('the policy has no such rule')
  const opened = new Date()
  const [p1, p0] = [incidentOf('P1', opened), incidentOf('P0', opened)]
  const diagnosis = openAlertDiagnosis({
    store,
    policy: () => policy,
    shell: {},
    log: { info: () => undefined, error: (message, fields) => expect.fail(`${message} ${String(fields?.['error'])}`) },
  })
  for (const { id } of [p1, p0]) diagnosis.onOpened({ incidentId: id, rule, environment: environment() })
  const told = { policy, consoleUrl: 'http://localhost:8081', now: opened, isHeld: diagnosis.isHeld }
  announceIncidents(store, told)
  runEscalation(store, told)
  expect(messages(`incident:${p1.id}`)).toEqual([])
  expect(messages(`incident:${p0.id}`).map(({ event }) => event)).toContain('incident-opened')

  await diagnosis[Symbol.asyncDispose]()
  announceIncidents(store, { ...told, now: new Date() })
  runEscalation(store, { ...told, now: new Date() })
  const [announcement] = messages(`incident:${p1.id}`)
  expect(announcement).toMatchObject({
    event: 'incident-opened',
    text: expect.stringContaining('The database does not answer'),
  })
  const call = messages(`incident:${p1.id}`).find(({ event }) => event === 'incident-call')
  expect(call?.facts.find(({ label }) => label === 'Diagnosis')?.value).toContain('Proposed')
  expect(messages(`incident:${p0.id}`).find(({ event }) => event === 'incident-update')?.title).toContain('Most likely')
  expect(messages(`incident:${p0.id}`).filter(({ event }) => event === 'incident-opened')).toHaveLength(
    new Set(policy.severities.P0.channels.concat(policy.channels.alerts)).size,
  )

  expect(findIncident(store, p1.id)?.evidence).toMatchObject({
    rules: ['response-time-high'],
    diagnosisId: expect.any(Number),
  })
  const event = listIncidentEvents(store, p1.id).find(({ kind }) => kind === 'diagnosis')
  expect(event?.detail).toMatchObject({ top: 'database-down', text: expect.stringContaining('Unknown:') })
  expect(listDiagnoses(store, { limit: 10 }).map(({ incidentId }) => incidentId)).toEqual(
    expect.arrayContaining([p1.id, p0.id]),
  )
})

test('nobody waits longer than three seconds for a diagnosis', () => {
  if (!rule) throw new Error('the policy has no such rule')
  const now = new Date()
  const diagnosis = openAlertDiagnosis({
    store,
    policy: () => policy,
    shell: {},
    log: { info: () => undefined, error: () => undefined },
    now: () => now,
  })
  const incident = incidentOf('P1', now)
  expect(diagnosis.isHeld(incident, now)).toBe(false)
  diagnosis.onOpened({ incidentId: incident.id, rule, environment: environment() })
  expect(diagnosis.isHeld(incident, new Date(now.getTime() + 2_900))).toBe(true)
  expect(diagnosis.isHeld(incident, new Date(now.getTime() + 3_000))).toBe(false)
  return diagnosis[Symbol.asyncDispose]()
})
