import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { fakeForge } from '../testing/fake-forge.ts'
import { checkAdvisories } from './advisories.ts'
import { type AuditException, readAuditExceptions } from './audit-exceptions.ts'

const now = new Date('2027-03-01T12:00:00.000Z')
const components = [
  { name: 'left', version: '1.2.3', licences: ['MIT'] },
  { name: '@acme/right', version: '2.0.0', licences: ['MIT'] },
]
const advisory = (severity: string, range = '<2.0.0') => ({
  id: 1085674,
  url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
  title: 'Left falls over',
  severity,
  vulnerable_versions: range,
})
const exception: AuditException = {
  package: 'left',
  range: '1.x',
  advisory: 'GHSA-aaaa-bbbb-cccc',
  decision: 'we never call the function that falls over',
  by: 'bo',
  date: '2027-02-10',
}

async function check(body: unknown, exceptions: AuditException[] = [], status = 200) {
  await using server = await fakeForge(() => ({ status, body }))
  return await checkAdvisories(components, { registry: server.origin, exceptions, reviewDays: 30 }, now)
}

describe('advisories', () => {
  it('are asked for as npm does', async () => {
    let asked = { method: '', url: '', type: '', body: '' }
    const server = createServer((request, response) => {
      asked = {
        method: request.method ?? '',
        url: request.url ?? '',
        type: request.headers['content-type'] ?? '',
        body: '',
      }
      request.on('data', (chunk: Buffer) => (asked.body += chunk.toString()))
      request.on('end', () => response.end('{}'))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const line = await checkAdvisories(
      components,
      { registry: `http://127.0.0.1:${port}/mirror`, exceptions: [], reviewDays: 30 },
      now,
    )
    server.closeAllConnections()
    server.close()
    expect(line.state).toBe('pass')
    expect(asked).toMatchObject({
      method: 'POST',
      url: '/mirror/-/npm/v1/security/advisories/bulk',
      type: 'application/json',
    })
    expect(JSON.parse(asked.body)).toEqual({ left: ['1.2.3'], '@acme/right': ['2.0.0'] })
  })

  it('of high and critical severity fail, lower ones are reported, other versions do not count', async () => {
    expect(await check({ left: [advisory('high')] })).toMatchObject({
      state: 'fail',
      findings: [expect.stringContaining('left 1.2.3: high')],
    })
    expect((await check({ left: [advisory('critical')] })).state).toBe('fail')
    expect(await check({ left: [advisory('moderate')] })).toMatchObject({
      state: 'pass',
      findings: [expect.stringContaining('moderate')],
    })
    expect(await check({ left: [advisory('high', '<1.2.3')] })).toMatchObject({ state: 'pass', findings: [] })
    expect((await check({ left: [advisory('high', 'whatever this means')] })).state).toBe('fail')
  })

  it('that a person has reviewed pass for 30 days, for that package, range and advisory only', async () => {
    const answer = { left: [advisory('high')] }
    expect((await check(answer, [exception])).state).toBe('pass')
    for (const over of [
      { date: '2027-01-29' },
      { date: '2027-03-02' },
      { range: '<1.0.0' },
      { package: 'other' },
      { advisory: 'GHSA-x' },
    ])
      expect((await check(answer, [{ ...exception, ...over }])).state, JSON.stringify(over)).toBe('fail')
  })

  it('are not known, and never passed, when the registry refuses, breaks or answers otherwise', async () => {
    for (const status of [204, 401, 404, 405, 429, 500, 503])
      expect((await check('', [], status)).state).toBe('unknown')
    for (const body of ['', '<html>', [], { left: 'none' }, { left: [{ id: 1 }] }, null])
      expect((await check(body)).state, JSON.stringify(body)).toBe('unknown')
    const options = { registry: 'http://127.0.0.1:9', exceptions: [], reviewDays: 30 }
    expect((await checkAdvisories(components, options, now)).state).toBe('unknown')
  })

  it('are excepted only by a list that is as it should be', () => {
    expect(readAuditExceptions(JSON.stringify({ exceptions: [exception] }))).toEqual([exception])
    for (const broken of [
      {},
      { exceptions: [{ ...exception, decision: 'fine' }] },
      { exceptions: [{ ...exception, range: 'all' }] },
    ])
      expect(() => readAuditExceptions(JSON.stringify(broken))).toThrow('security/audit.json')
  })
})
