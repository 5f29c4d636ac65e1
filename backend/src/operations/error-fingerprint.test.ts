import { expect, test } from 'vitest'
import { fingerprintOf, isFatal } from './error-fingerprint.ts'

const stackAt = (root: string, line: number, frame = 'finishUpload'): string =>
  `Error: x\n    at Client.query (${root}/node_modules/pg/lib/client.js:631:17)\n    at Object.row (file://${root}/platform/src/database.ts:80:11)\n    at async ${frame} (file://${root}/backend/src/uploads/finish-upload.ts:${line}:9)`

const base = {
  code: 'internal-error',
  message: 'GET /api/v4/dam/assets/:id/ failed: asset 17 of user 4 is gone',
  stack: stackAt('/srv/releases/v1.0.0-abc', 40),
}

test('the same error has one fingerprint whatever its ids, its line and the folder of its release', () => {
  const other = {
    ...base,
    message: 'GET /api/v4/dam/assets/:id/ failed: asset 99123 of user 12 is gone',
    stack: stackAt('/home/someone/dam', 73),
  }
  expect(fingerprintOf(other)).toBe(fingerprintOf(base))
})

test.each([
  [
    'a checksum',
    'blob 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 is gone',
    'blob 1f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a09 is gone',
  ],
  [
    'an upload id',
    'upload 2f1b0c7e-1111-4222-8333-944445555666 lost',
    'upload 7a1b0c7e-9111-4222-8333-944445555667 lost',
  ],
  ['a path', 'cannot open /data/incoming/abc: full', 'cannot open /mnt/other/deeper/xyz: full'],
  ['a quoted name', 'cannot read "Holiday in Rome.jpg"', 'cannot read "a.png"'],
])('%s does not count', (_, one, two) => {
  expect(fingerprintOf({ code: 'x', message: one })).toBe(fingerprintOf({ code: 'x', message: two }))
})

test('another code, message or place is another error', () => {
  const all = [
    base,
    { ...base, code: 'crash' },
    { ...base, message: 'GET /api/v4/dam/assets/:id/ failed: out of memory' },
    { ...base, stack: stackAt('/srv/x', 40, 'makeAsset') },
  ]
  expect(new Set(all.map(fingerprintOf)).size).toBe(all.length)
})

test('crashes, unexpected errors and damaged data are fatal; a full disk and a failed job are not', () => {
  expect(
    ['crash', 'internal-error', 'original-damaged', 'storage-corruption'].map((code) => isFatal({ code })),
  ).toEqual([true, true, true, true])
  expect(['storage-full', 'job-failed', 'database-unavailable'].some((code) => isFatal({ code }))).toBe(false)
})
