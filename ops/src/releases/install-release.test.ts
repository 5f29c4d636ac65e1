import { spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildRelease } from './build-release.ts'
import { installRelease } from './install-release.ts'
import { inspectFolder } from './release-folder.ts'
import type { Release } from './release.ts'
import { type SmallProduct, smallProduct } from './testing/small-product.ts'
import { nodeOfRelease } from './toolchain-folder.ts'
import { artifactFolder, verifyStoredRelease } from './verify-release.ts'

let product: SmallProduct
let release: Release
let hostDir: string

beforeAll(async () => {
  product = smallProduct()
  product.release('v1.0.0')
  release = (
    await buildRelease({ hostDir: product.hostDir, checkout: product.checkout, tag: 'v1.0.0', say: () => undefined })
  ).release
})

afterAll(() => product[Symbol.dispose]())

beforeEach(() => {
  hostDir = path.join(product.folder, `host-${Math.random().toString(36).slice(2)}`)
  for (const name of ['ops', 'store'])
    cpSync(path.join(product.hostDir, name), path.join(hostDir, name), { recursive: true })
})

const install = (said: string[] = []) => installRelease({ hostDir, release, say: (message) => said.push(message) })

const visible = () => {
  const folder = path.join(hostDir, 'releases')
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.endsWith('.lock')) : []
}

describe('an installed release', () => {
  test('is complete, read-only, and brings its own Node.js, which all releases with the same one share', async () => {
    const { dir } = await install()
    const verified = await verifyStoredRelease(hostDir, release.digest)
    expect(inspectFolder(dir, verified)).toEqual([])
    expect(path.basename(dir)).toBe(`v1.0.0-${release.digest.slice(0, 12)}`)
    expect(statSync(path.join(dir, 'dam')).mode & 0o777).toBe(0o555)
    expect(statSync(path.join(dir, 'backend/src/main.ts')).mode & 0o777).toBe(0o444)
    expect(existsSync(nodeOfRelease(dir))).toBe(true)
    expect(readdirSync(path.join(hostDir, 'toolchains'))).toEqual([release.manifest.toolchainHash])
  })

  test('is found again without work, and is the same for two at once', async () => {
    const [one, other] = await Promise.all([install(), install()])
    expect(one).toEqual(other)
    const said: string[] = []
    expect(await install(said)).toEqual(one)
    expect(said).toEqual([])
    expect(visible()).toEqual([path.basename(one.dir)])
  })

  test('is made anew when a file of it was changed, removed or added, and says which', async () => {
    const { dir } = await install()
    const verified = await verifyStoredRelease(hostDir, release.digest)
    const main = path.join(dir, 'backend/src/main.ts')
    chmodSync(main, 0o644)
    writeFileSync(main, 'other')
    rmSync(path.join(dir, 'frontend/index.html'))
    writeFileSync(path.join(dir, 'backend/extra.ts'), '')
    rmSync(path.join(dir, 'release.json'))
    expect(inspectFolder(dir, verified)).toEqual([
      'release.json is missing',
      'backend/src/main.ts was changed',
      'frontend/index.html is missing',
      'backend/extra.ts is not part of the release',
    ])
    const said: string[] = []
    expect(await install(said)).toEqual({ dir })
    expect(said[0]).toContain('was changed since it was installed (release.json is missing)')
    expect(inspectFolder(dir, verified)).toEqual([])
  })

  test('is there whole or not at all, whenever the one who installs it is killed', async () => {
    const entry = path.join(import.meta.dirname, 'testing/build-and-install.ts')
    const verified = await verifyStoredRelease(hostDir, release.digest)
    for (let delayMs = 150; delayMs <= 600; delayMs += 75) {
      const child = spawn(process.execPath, [entry, 'install', hostDir, 'v1.0.0'], { stdio: 'ignore' })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      await Promise.race([ended, sleep(delayMs)])
      child.kill('SIGKILL')
      await ended
      for (const name of visible().filter((entryName) => !entryName.startsWith('.'))) {
        expect(inspectFolder(path.join(hostDir, 'releases', name), verified)).toEqual([])
        rmSync(path.join(hostDir, 'releases', name), { recursive: true })
      }
    }
    const { dir } = await install()
    expect(visible()).toEqual([path.basename(dir)])
  })

  test('with the packages for tests lies beside the one that runs', async () => {
    const { dir } = await installRelease({ hostDir, release, say: () => undefined, packages: 'all' })
    expect(path.basename(dir)).toBe(`v1.0.0-${release.digest.slice(0, 12)}-tests`)
  })
})

describe('a release is not installed and nothing is written', () => {
  const inStore = (name: string) => path.join(artifactFolder(hostDir, release.digest), name)
  const change = (name: string, how: (bytes: Buffer) => Buffer) => {
    chmodSync(inStore(name), 0o644)
    writeFileSync(inStore(name), how(readFileSync(inStore(name))))
  }
  const flip = (bytes: Buffer) => {
    const at = Math.floor(bytes.length / 2)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes
  }

  test.each<[string, () => void, string]>([
    ['one byte of its artifact was changed', () => change('artifact.tar.gz', flip), 'The artifact of release'],
    [
      'its artifact was cut short',
      () => change('artifact.tar.gz', (bytes) => bytes.subarray(0, 500)),
      'The artifact of release',
    ],
    ['its artifact is missing', () => rmSync(inStore('artifact.tar.gz')), 'artifact.tar.gz of release'],
    [
      'its manifest was changed',
      () => change('release.json', (bytes) => Buffer.from(bytes.toString().replace('"min": 1', '"min": 0'))),
      'The signature does not belong to this release',
    ],
    ['its manifest is missing', () => rmSync(inStore('release.json')), 'release.json of release'],
    [
      'its signature was changed',
      () =>
        change('release.sig', (bytes) => {
          const signature = JSON.parse(bytes.toString()) as { signature: string }
          return Buffer.from(
            JSON.stringify({
              ...signature,
              signature: flip(Buffer.from(signature.signature, 'base64')).toString('base64'),
            }),
          )
        }),
      'The signature does not belong to this release',
    ],
    [
      'its signature is no signature',
      () => change('release.sig', () => Buffer.from('null')),
      'The signature of the release cannot be read',
    ],
    [
      'the key that signed it is not trusted here',
      () => rmSync(path.join(hostDir, 'ops/keys/release.pub')),
      'which this host does not trust',
    ],
  ])('when %s', async (_name, tamper, message) => {
    tamper()
    await expect(install()).rejects.toThrow(message)
    expect(visible()).toEqual([])
    expect(existsSync(path.join(hostDir, 'toolchains'))).toBe(false)
  })
})
