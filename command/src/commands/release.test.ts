import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hostFolders } from '@dam/ops/src/environments/environment.ts'
import { initHost } from '@dam/ops/src/environments/init-host.ts'
import { insertRelease, setVerdict } from '@dam/ops/src/releases/release-store.ts'
import type { ReleaseManifest } from '@dam/ops/src/releases/release.ts'
import { openStore } from '@dam/ops/src/store.ts'

let folder: string
let hostDir: string

const manifest: ReleaseManifest = {
  format: 1,
  tag: 'v1.0.0',
  version: '1.0.0',
  commit: 'c'.repeat(40),
  committedAt: '2026-01-01T00:00:00.000Z',
  nodeVersion: 'v24.0.0',
  lockfileHash: '1',
  toolchainHash: '2',
  configHash: '3',
  sbomHash: '4',
  schema: { min: 1, max: 1 },
  migrations: [{ app: 'backend', number: 1, name: 'first', checksum: '5', previousReleaseRuns: true, reason: 'first' }],
  files: {},
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-release-command-'))
  hostDir = path.join(folder, 'host')
  await initHost({
    hostDir,
    host: 'localhost',
    ports: { production: 0, staging: 0, ops: 0, firstSlot: 18_200, lastSlot: 18_299 },
  })
  using store = openStore(hostFolders(hostDir).ops)
  const digest = 'a'.repeat(64)
  insertRelease(store, { digest, manifest }, new Date('2026-01-02T03:04:05Z'))
  setVerdict(store, { digest, verdict: 'quarantined', because: 'errors', now: new Date() })
})

afterAll(() => rmSync(folder, { recursive: true }))

const dam = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
  const main = path.resolve(import.meta.dirname, '../main.ts')
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, ...args, '--host', hostDir], {
      cwd: folder,
    })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

test.each(['v1.0;touch x', '--upload-pack=touch x', '../x', 'v1.0.0\n', '-c', '$(touch x)'])(
  './dam release build %j is answered with "is not a release tag" and runs nothing',
  async (tag) => {
    const before = readdirSync(hostDir)
    const { code, err } = await dam('release', 'build', tag)
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringContaining(`${JSON.stringify(tag)} is not a release tag`) as string,
    })
    expect(readdirSync(hostDir)).toEqual(before)
    expect(existsSync(path.join(folder, 'x'))).toBe(false)
  },
)

test('./dam releases prints a line for each release, and JSON for machines', async () => {
  expect((await dam('releases')).out).toMatch(
    / v1\.0\.0 \| ccccccc \| 2026-01-02 03:04 \| 1 +\| quarantined: errors \| +\| not in the store \| a{12}/,
  )
  expect(JSON.parse((await dam('releases', '--json')).out)).toMatchObject([
    { tag: 'v1.0.0', verdict: 'quarantined', artifactBytes: null },
  ])
})

test('a release whose artifact is missing is refused by verify, install and export', async () => {
  for (const verb of ['verify', 'install', 'export']) {
    expect(await dam('release', verb, 'v1.0.0')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is missing from the store') as string,
    })
  }
  expect((await dam('release', 'verify', 'v2.0.0')).err).toContain(
    'There is no release "v2.0.0". The newest are v1.0.0',
  )
})

test('a verdict by hand needs a reason and names who gave it', async () => {
  expect((await dam('release', 'verdict', 'v1.0.0', 'good')).code).toBe(1)
  expect((await dam('release', 'verdict', 'v1.0.0', 'unknown', '--because', 'the disk was full')).code).toBe(0)
  expect((await dam('release', 'show', 'v1.0.0')).out).toMatch(/verdict +unknown: the disk was full \(released by .+\)/)
})
