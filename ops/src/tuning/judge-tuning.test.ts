import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { metricsWindow } from '../diagnosis/probes/metrics-window.ts'
import { parsePrometheusText } from '../signals/prometheus-text.ts'
import { judgeCaches, judgePool, judgeRoutes, judgeStatements } from './judge-backend.ts'
import { judgeBundle, judgeImages } from './judge-frontend.ts'
import { readBuiltPages } from './read-built-pages.ts'

const metricsText = (slow: number) => `
dam_http_requests_total{method="GET",route="/api/v4/dam/assets/",status="200"} 100
dam_http_request_duration_seconds_bucket{le="0.1",method="GET",route="/api/v4/dam/assets/"} ${100 - slow}
dam_http_request_duration_seconds_bucket{le="1",method="GET",route="/api/v4/dam/assets/"} 100
dam_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/api/v4/dam/assets/"} 100
dam_database_pool_connections{state="in_use"} 9
dam_database_pool_connections{state="waiting"} 2
dam_database_pool_connections{state="max"} 10
dam_cache_reads_total{cache="renditions",result="hit"} 900
dam_cache_reads_total{cache="renditions",result="miss"} 100
`
const metrics = (slow: number) => metricsWindow([], parsePrometheusText(metricsText(slow)), 1)

test('routes are held against the target of the policy', () => {
  const [ok] = judgeRoutes(metrics(0), { p95Seconds: 0.5 })
  expect(ok?.state).toBe('ok')
  const [slow] = judgeRoutes(metrics(50), { p95Seconds: 0.5 })
  expect(slow).toMatchObject({ state: 'out-of-bounds', figure: expect.stringContaining('GET /api/v4/dam/assets/') })
})

test('what could not be asked is unknown with its reason, never ok', () => {
  const lines = [
    ...judgeRoutes('/metrics answers 503', { p95Seconds: 0.5 }),
    ...judgeStatements('ECONNREFUSED', 'ECONNREFUSED'),
    ...judgeCaches('away', 'away'),
    ...judgePool('away', 'away'),
    ...judgeBundle('not built', 120),
    ...judgeImages('away'),
  ]
  expect(new Set(lines.map(({ state }) => state))).toEqual(new Set(['unknown']))
  expect(lines[0]?.figure).toBe('/metrics answers 503')
})

test('a pool in which requests wait is out of bounds, a cache that has what it is asked is not', () => {
  expect(judgePool(metrics(0), 'away')[0]).toMatchObject({
    state: 'out-of-bounds',
    figure: '9 of 10 in use, 2 requests wait',
  })
  expect(judgeCaches(metrics(0), 'none')[0]).toMatchObject({ state: 'ok', figure: 'renditions 90 %' })
})

test('an index is advised with the statement that makes it', () => {
  const table = {
    schema: 'public',
    table: 'asset',
    bytes: 1,
    rows: 1e6,
    sequentialScans: 900,
    rowsPerScan: 1e6,
    indexScans: 1,
  }
  const [, index] = judgeStatements({ slowest: [], grown: [] }, [
    { ...table, missingIndex: { column: 'owner_id', name: 'asset_owner_id' } },
  ])
  expect(index).toMatchObject({
    state: 'out-of-bounds',
    advice: 'create index concurrently asset_owner_id on asset (owner_id)',
  })
})

test('scripts that the page names count as first, the others as lazy', () => {
  const dist = mkdtempSync(path.join(tmpdir(), 'dam-dist-'))
  mkdirSync(path.join(dist, 'assets'))
  writeFileSync(path.join(dist, 'index.html'), '<script type="module" src="/assets/index-a.js"></script>')
  writeFileSync(path.join(dist, 'assets/index-a.js'), 'a'.repeat(100))
  writeFileSync(path.join(dist, 'assets/page-b.js'), Array.from({ length: 5_000 }, (_, n) => String(n * 7_919)).join())
  const built = readBuiltPages(dist)
  expect(built).toMatchObject({ firstFiles: 1, files: { length: 2 } })
  expect(judgeBundle(built, 120).map(({ state }) => state)).toEqual(['ok', 'ok'])
  expect(judgeBundle(built, 0.01)[0]).toMatchObject({
    state: 'out-of-bounds',
    advice: expect.stringContaining('page-b.js'),
  })
  rmSync(dist, { recursive: true })
})

test('pictures without a rendition and old formats are out of bounds', () => {
  const lines = judgeImages({
    presets: [
      { preset: 'thumbnail', mimeType: 'image/jpeg', count: 60, meanBytes: 90_000, width: 320 },
      { preset: 'preview', mimeType: 'image/webp', count: 40, meanBytes: 200_000, width: 1_600 },
    ],
    ready: 100,
    readyWithout: 7,
  })
  expect(lines.map(({ name, state }) => [name, state])).toEqual([
    ['Image format', 'out-of-bounds'],
    ['Image size', 'out-of-bounds'],
    ['Images without a rendition', 'out-of-bounds'],
  ])
})
