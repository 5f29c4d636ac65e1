import { sql } from '@dam/platform/database'
import { writeMaintenanceFile, type MaintenanceFile } from '@dam/platform/maintenance-file'
import { Upload } from 'tus-js-client'
import { expect, test } from 'vitest'
import { testApp } from '../testing/test-app.ts'
import { bytesOf, sha256 } from '../uploads/testing/tus.ts'
import { startUploadServer } from '../uploads/testing/upload-server.ts'
import { refusedInMaintenance, shownMaintenance } from './maintenance.ts'

const now = new Date('2026-03-01T03:00:00Z')
const file = (mode: 'read-only' | 'full', enforcedBy: 'web' | 'front' = 'web'): MaintenanceFile => ({
  format: 1,
  enforcedBy,
  current: { mode, reason: 'a new database', startsAt: '2026-03-01T02:00:00.000Z', endsAt: '2026-03-01T04:00:00.000Z' },
  upcoming: null,
})

test('read-only lets people read, search and sign in, and refuses the rest with when it ends', () => {
  const refused = (name: Parameters<typeof refusedInMaintenance>[1]) =>
    refusedInMaintenance(file('read-only'), name, now)
  for (const name of ['listAssets', 'signIn', 'signOut', 'obtainToken', 'getMaintenance', 'getUploadOffset'] as const)
    expect(refused(name), name).toBeNull()
  expect(refused('createUpload')).toMatchObject({
    code: 'maintenance',
    message: expect.stringContaining('Reason: a new database. It is expected to end at 2026-03-01 04:00 UTC.'),
    details: { mode: 'read-only', retry_after: 3_600, until: '2026-03-01T04:00:00.000Z' },
  })
})

test('full lets nothing pass but sign-in; behind a front process this process refuses nothing', () => {
  expect(refusedInMaintenance(file('full'), 'listAssets', now)?.code).toBe('maintenance')
  expect(refusedInMaintenance(file('full'), 'signIn', now)).toBeNull()
  expect(refusedInMaintenance(file('full', 'front'), 'createUpload', now)).toBeNull()
})

test('a window whose time is over is not coming any more', () => {
  const { current } = file('full')
  const coming = { ...file('full'), current: null, upcoming: current }
  expect(shownMaintenance(coming, now).upcoming).toMatchObject({ starts_at: '2026-03-01T02:00:00.000Z' })
  expect(shownMaintenance(coming, new Date('2026-03-01T04:00:00Z')).upcoming).toBeNull()
})

test('the whole server: health says maintenance, everybody can see it, refusals are no errors', async () => {
  await using server = await testApp()
  const window = { ...file('read-only').current!, endsAt: new Date(Date.now() + 600_000).toISOString() }
  writeMaintenanceFile(server.dataDir, { ...file('read-only'), current: window })
  const health = async () => (await (await fetch(`${server.url}/health`)).json()) as object
  await expect.poll(health, { timeout: 10_000 }).toMatchObject({ status: 'healthy', maintenance: true })
  const shown = await fetch(`${server.url}/api/v4/maintenance/`)
  expect(await shown.json()).toMatchObject({ current: { mode: 'read-only', reason: 'a new database' }, upcoming: null })
  const refused = await fetch(`${server.url}/api/v4/collections/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(500)
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  expect(metrics).toContain('dam_maintenance_refused_total 1')
  expect(metrics).not.toMatch(/dam_http_requests_total\{[^}]*status="503"/)
  writeMaintenanceFile(server.dataDir, { ...file('read-only'), current: null })
  await expect.poll(health, { timeout: 10_000 }).not.toHaveProperty('maintenance')
})

test('an upload that meets maintenance pauses and goes on by itself', async () => {
  await using server = await startUploadServer()
  const { headers } = await server.signIn()
  const bytes = bytesOf(1_200_000)
  let [pauses, chunks] = [0, 0]
  await new Promise<void>((resolve, reject) => {
    new Upload(bytes, {
      endpoint: `${server.url}/api/v4/uploads/`,
      headers,
      chunkSize: 400_000,
      metadata: { filename: 'during.bin' },
      retryDelays: Array.from({ length: 40 }, () => 250),
      onAfterResponse: (_request, response) => {
        if (response.getStatus() === 503 && ++pauses === 3)
          writeMaintenanceFile(server.folder, { ...file('read-only'), current: null })
      },
      onChunkComplete: () => {
        if (++chunks === 1) writeMaintenanceFile(server.folder, file('read-only'))
      },
      // The chunk after the first may be on its way before this process has looked at the file.
      onBeforeRequest: async () => {
        if (chunks === 1 && pauses === 0) await new Promise((done) => setTimeout(done, 1_500))
      },
      onSuccess: () => resolve(),
      onError: reject,
    }).start()
  })
  expect(pauses).toBeGreaterThanOrEqual(3)
  const asset = await server.database.row<{ sha256: string }>(sql`select sha256 from asset`)
  expect(asset?.sha256).toBe(sha256(bytes))
}, 60_000)
