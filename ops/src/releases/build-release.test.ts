import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../store.ts'
import { buildRelease } from './build-release.ts'
import { listReleases } from './release-store.ts'
import { type SmallProduct, smallProduct } from './testing/small-product.ts'
import { artifactFolder, verifyStoredRelease } from './verify-release.ts'

let product: SmallProduct

beforeAll(() => {
  product = smallProduct()
  product.release('v1.0.0')
})

afterAll(() => product[Symbol.dispose]())

const build = (tag: string, hostDir = product.hostDir, signal?: AbortSignal) =>
  buildRelease({ hostDir, checkout: product.checkout, tag, say: () => undefined, ...(signal && { signal }) })

const storeOf = (hostDir: string) => {
  const folder = path.join(hostDir, 'store')
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.build.lock')) : []
}

describe('a release of a tag', () => {
  test('holds what git has at the tag, what the build made, and says where it is from', async () => {
    product.write('backend/src/main.ts', 'changed after the tag\n')
    product.write('untracked', 'x')
    const { release, isNew } = await build('v1.0.0')
    expect(isNew).toBe(true)
    const { files, manifest, signedBy } = await verifyStoredRelease(product.hostDir, release.digest)
    expect(files.get('backend/src/main.ts')?.content.toString()).toBe("console.log('small')\n")
    expect(files.get('frontend/dist/assets/app.js')?.content.toString()).toBe('build\n')
    expect(files.get('dam')?.isExecutable).toBe(true)
    expect(files.has('untracked')).toBe(false)
    expect(JSON.parse(files.get('sbom.json')?.content.toString() ?? '')).toMatchObject({ bomFormat: 'CycloneDX' })
    expect(signedBy.name).toBe('release.pub')
    expect(manifest).toMatchObject({
      tag: 'v1.0.0',
      version: '1.0.0',
      commit: product.git('rev-parse', 'v1.0.0^{commit}').trim(),
      nodeVersion: process.version,
      schema: { min: 1, max: 1 },
      migrations: [{ app: 'backend', number: 1, name: 'first', previousReleaseRuns: true }],
    })
    expect(statSync(path.join(product.hostDir, 'ops/keys/release.key')).mode & 0o777).toBe(0o600)
  })

  test('is the same when it is built again, and on another host', async () => {
    const again = await build('v1.0.0')
    expect(again.isNew).toBe(false)
    const elsewhere = path.join(product.folder, 'elsewhere')
    expect((await build('v1.0.0', elsewhere)).release.digest).toBe(again.release.digest)
  })

  test('comes back into the store by building when its artifact was lost or damaged', async () => {
    const { release } = await build('v1.0.0')
    const file = path.join(artifactFolder(product.hostDir, release.digest), 'artifact.tar.gz')
    rmSync(file)
    writeFileSync(file, 'damaged')
    expect((await build('v1.0.0')).isNew).toBe(true)
    await verifyStoredRelease(product.hostDir, release.digest)
  })

  test('is refused when the tag was moved since, and the ledger keeps what it was', async () => {
    product.release('v1.1.0')
    const { release } = await build('v1.1.0')
    product.write('frontend/index.html', 'other')
    product.git('commit', '--quiet', '--all', '-m', 'other')
    product.git('tag', '-f', 'v1.1.0')
    await expect(build('v1.1.0')).rejects.toThrow(
      /^v1\.1\.0 was released as [0-9a-f]{12} from commit .* it is at commit/,
    )
    using store = openStore(path.join(product.hostDir, 'ops'))
    expect(listReleases(store).find(({ tag }) => tag === 'v1.1.0')?.digest).toBe(release.digest)
  })

  test('is refused when the build gives other bytes for the same commit, naming the files', async () => {
    product.write('dam', '#!/bin/sh\nmkdir -p frontend/dist\ndate +%N >frontend/dist/index.html\n')
    product.release('v1.2.0')
    await build('v1.2.0')
    await expect(build('v1.2.0')).rejects.toThrow(
      '(frontend/dist/index.html), so something outside the sources has changed',
    )
  })

  test('is refused when a step of it fails, with what that step said', async () => {
    product.write('dam', '#!/bin/sh\necho this is why >&2\nexit 3\n')
    product.release('v1.3.0')
    const before = storeOf(product.hostDir)
    await expect(build('v1.3.0')).rejects.toThrow('this is why')
    expect(storeOf(product.hostDir)).toEqual(before)
  })
})

test('a tag that does not exist is answered with the command that makes it', async () => {
  await expect(build('v9.9.9')).rejects.toThrow('git tag -a v9.9.9 -m "Release v9.9.9"')
})

test.each([
  'v1.0;touch x',
  '--upload-pack=touch x',
  '../x',
  'v1.0.0\n',
  'v1.0.0/../../x',
  'HEAD',
  'main',
  '',
  'v1.0.0-../x',
  'v1.0.0 v1',
  '$(touch x)',
])('%j is not a release tag and reaches neither git nor a path', async (tag) => {
  const hostDir = path.join(product.folder, 'untouched')
  await expect(build(tag, hostDir)).rejects.toThrow('is not a release tag')
  expect(existsSync(hostDir)).toBe(false)
  expect(existsSync(path.join(product.checkout, 'x'))).toBe(false)
})

test('a build that is cancelled stops its programs and leaves nothing', async () => {
  product.write('dam', '#!/bin/sh\nsleep 300\n')
  product.release('v1.4.0')
  const before = storeOf(product.hostDir)
  const cancel = new AbortController()
  const building = buildRelease({
    hostDir: product.hostDir,
    checkout: product.checkout,
    tag: 'v1.4.0',
    say: (step) => step.includes('web application') && setTimeout(() => cancel.abort(), 100),
    signal: cancel.signal,
  })
  await expect(building).rejects.toThrow('aborted')
  expect(storeOf(product.hostDir)).toEqual(before)
})

test('a second build at the same time is told which one runs', async () => {
  product.write('dam', '#!/bin/sh\nsleep 300\n')
  product.release('v1.4.1')
  const cancel = new AbortController()
  let second: Promise<unknown> = Promise.resolve()
  const first = buildRelease({
    hostDir: product.hostDir,
    checkout: product.checkout,
    tag: 'v1.4.1',
    say: (step) => {
      if (step.includes('web application'))
        second = build('v1.0.0')
          .catch((error: unknown) => error)
          .finally(() => cancel.abort())
    },
    signal: cancel.signal,
  })
  await expect(first).rejects.toThrow('aborted')
  expect(String(await second)).toContain(
    `v1.4.1 is being built by process ${process.pid}. Build v1.0.0 when that is done.`,
  )
})

test('a build that is killed at any moment leaves no release, and the next one makes it', async () => {
  product.write('dam', '#!/bin/sh\nmkdir -p frontend/dist\ncp frontend/index.html frontend/dist/\n')
  product.release('v1.5.0')
  const hostDir = path.join(product.folder, 'killed')
  const entry = path.join(import.meta.dirname, 'testing/build-and-install.ts')
  for (let delayMs = 200; delayMs <= 1400; delayMs += 300) {
    const child = spawn(process.execPath, [entry, 'build', hostDir, product.checkout, 'v1.5.0'], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await Promise.race([ended, sleep(delayMs)])
    child.kill('SIGKILL')
    await ended
    for (const name of storeOf(hostDir)) {
      if (/^[0-9a-f]{64}$/.test(name)) await verifyStoredRelease(hostDir, name)
    }
  }
  const { release } = await build('v1.5.0', hostDir)
  expect(storeOf(hostDir)).toEqual([release.digest])
  expect(readFileSync(path.join(artifactFolder(hostDir, release.digest), 'sbom.json'), 'utf8')).toContain('CycloneDX')
})
