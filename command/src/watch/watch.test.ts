import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { addSample } from '@dam/ops/src/signals/sample-store.ts'
import { emptySample } from '@dam/ops/src/signals/sample.ts'
import { shippedPolicyFile } from '@dam/ops/src/policy/read-policy.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from '../config.ts'

let dataDir: string
let policy: string
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'dam-watch-'))
  policy = path.join(dataDir, 'policy.yaml')
  writeFileSync(
    policy,
    readFileSync(shippedPolicyFile, 'utf8')
      .replace(
        'people: []',
        'people: [{ id: anna, name: Anna, email: anna@dam.local }, { id: ben, name: Ben, email: ben@dam.local }]',
      )
      .replace('rotation: []', 'rotation: [anna, ben]'),
  )
})
afterEach(() => rmSync(dataDir, { recursive: true }))

async function dam(...args: string[]): Promise<{ code: number; text: string }> {
  try {
    const { stdout } = await promisify(execFile)(path.join(root, 'dam'), args, {
      env: { ...process.env, DAM_DATA: dataDir, DAM_POLICY: policy },
    })
    return { code: 0, text: stdout }
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string }
    return { code, text: stderr }
  }
}

test('who is on call can be asked, swapped and fed to a calendar', async () => {
  const { primary } = JSON.parse((await dam('oncall', '--json')).text) as { primary: string }
  const other = primary === 'anna' ? 'ben' : 'anna'
  expect((await dam('oncall', 'swap', 'anna', 'ben', '--until', '+2h')).text).toMatch(
    new RegExp(`primary +${other}`, 'i'),
  )
  expect((await dam('oncall', 'replace', 'nobody', '--by', 'ben', '--until', '+2h')).text).toContain(
    'There is: anna, ben',
  )
  expect(await dam('oncall', 'add', 'ben', '--until', 'yesterday')).toMatchObject({ code: 1 })
  const { text } = await dam('oncall', 'ical')
  expect(text).toMatch(/^BEGIN:VCALENDAR\r\n/)
  expect(text.split('\r\n').every((line) => Buffer.byteLength(line) <= 75)).toBe(true)
})

test('a person pages, acknowledges and resolves', async () => {
  expect((await dam('page', 'uploads', 'hang', '--severity', 'P0')).text).toContain('Incident 1 is open (P0, local)')
  expect((await dam('incident', '1', 'ack', '--by', 'anna')).text).toContain('yours')
  expect(await dam('incident', '1', 'ack')).toMatchObject({ code: 1, text: expect.stringContaining('by anna') })
  expect((await dam('incident', '1', 'resolve')).text).toContain('Say why')
  await dam('incident', '1', 'resolve', 'restarted the cache')
  expect((await dam('incident', '1')).text).toMatch(/resolved\s+restarted the cache/)
  expect((await dam('incidents')).text).toContain('No incident is open')
})

test('an incident is snoozed, raised, led, told the public and written up; bad words are answered with good ones', async () => {
  await dam('page', 'uploads', 'hang', '--severity', 'P1')
  expect((await dam('incident', '1', 'snooze', '3d')).text).toContain('a day at most')
  expect((await dam('incident', '1', 'snooze', '30m')).text).toContain('Nobody is called for incident 1 before')
  expect((await dam('incident', '1', 'severity', 'P7')).text).toContain('P0, P1, P2, P3')
  expect((await dam('incident', '1', 'severity', 'P0')).text).toContain('Incident 1 is P0 now')
  expect((await dam('incident', '1', 'role', 'king', 'anna')).text).toContain('commander, scribe')
  await dam('incident', '1', 'role', 'commander', 'anna')
  expect((await dam('incident', '1', 'public', 'watching', 'It', 'works', 'again')).text).toContain('--title')
  await dam('incident', '1', 'public', 'watching', 'It works again.', '--title', 'Uploads fail')
  const { text } = await dam('incident', '1', 'postmortem')
  for (const part of [
    '# Incident 1: uploads hang',
    'P0, local',
    'commander: anna',
    'P1 → P0',
    'told the public (watching)',
  ])
    expect(text).toContain(part)
})

test('an alert is silenced with a reason and for a time, and the silence is ended', async () => {
  expect((await dam('alerts')).text).toContain('No alert fires')
  expect((await dam('alerts', '--all')).text).toMatch(/P0 .*system-down .*unknown/)
  expect((await dam('alerts', 'silence', 'cpu', '--for', '2h')).text).toContain('There is: system-down')
  expect((await dam('alerts', 'silence', 'cpu-high', '--reason', 'load test')).text).toContain('for how long')
  expect((await dam('alerts', 'silence', 'cpu-high', '--for', '2h')).text).toContain('needs a reason')
  expect((await dam('alerts', 'silence', 'cpu-high', '--for', '2h', '--reason', 'load test')).text).toContain(
    'Silence 1',
  )
  expect((await dam('alerts')).text).toContain('Silence 1: cpu-high in every environment')
  expect((await dam('alerts', 'unsilence', '1')).code).toBe(0)
  expect((await dam('alerts', 'unsilence', '1')).code).toBe(1)
})

test('a policy is checked, explained, compared and tested against what was recorded', async () => {
  expect((await dam('policy', 'check')).text).toContain('2 people')
  expect((await dam('policy', 'explain')).text).toContain('Error rate above 5 %')
  const stricter = path.join(dataDir, 'stricter.yaml')
  writeFileSync(
    stricter,
    readFileSync(policy, 'utf8').replace(
      /(name: error-rate-critical[\s\S]*?)threshold: 5%([\s\S]*?)clear: 3%/,
      '$1threshold: 2%$2clear: 1%',
    ),
  )
  expect((await dam('policy', 'diff', stricter)).text).toMatch(
    /- error-rate-critical.*5 %[\s\S]*\+ error-rate-critical.*2 %/,
  )
  {
    using store = openStore(path.join(dataDir, 'ops'))
    const now = Date.now()
    for (let minute = 60; minute > 0; minute--)
      addSample(store, 'local', new Date(now - minute * 60_000), {
        ...emptySample(),
        requests: { total: 100, bad: minute < 30 ? 3 : 0 },
        up: { system: 1, database: 1, storage: 1, cache: 1 },
      })
  }
  expect((await dam('policy', 'back-test', stricter)).text).toContain('+ P0 error-rate-critical')
  writeFileSync(stricter, 'format: 2')
  expect(await dam('policy', 'check', stricter)).toMatchObject({ code: 1, text: expect.stringContaining('line 1') })
})
