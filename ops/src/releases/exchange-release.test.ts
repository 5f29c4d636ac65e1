import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ArchivedFile, packArchive, packTar, unpackArchive, unpackTar } from './archive.ts'
import { buildRelease } from './build-release.ts'
import { exportRelease, importRelease } from './exchange-release.ts'
import type { Release } from './release.ts'
import { ensureSigningKey, signRelease } from './signature.ts'
import { type SmallProduct, smallProduct } from './testing/small-product.ts'
import { sha256, verifyStoredRelease } from './verify-release.ts'

let product: SmallProduct
let release: Release
let exported: Buffer
let hostDir: string

beforeAll(async () => {
  product = smallProduct()
  product.release('v1.0.0')
  release = (
    await buildRelease({ hostDir: product.hostDir, checkout: product.checkout, tag: 'v1.0.0', say: () => undefined })
  ).release
  exported = await exportRelease(product.hostDir, release)
})

afterAll(() => product[Symbol.dispose]())

/** Another host that trusts the first. */
beforeEach(() => {
  hostDir = path.join(product.folder, `other-${Math.random().toString(36).slice(2)}`)
  mkdirSync(path.join(hostDir, 'ops/keys'), { recursive: true })
  copyFileSync(path.join(product.hostDir, 'ops/keys/release.pub'), path.join(hostDir, 'ops/keys/first.pub'))
})

const take = (file: Buffer) => importRelease({ hostDir, file, now: new Date() })

const nothingWasWritten = () => {
  expect(existsSync(path.join(hostDir, 'store'))).toBe(false)
  expect(existsSync(path.join(hostDir, 'releases'))).toBe(false)
  expect(readdirSync(path.join(hostDir, 'ops'))).toEqual(['keys'])
}

test('an exported release is taken by a host that trusts its key, as it is, and once', async () => {
  expect(await take(exported)).toMatchObject({
    isNew: true,
    signedBy: 'first.pub',
    release: { digest: release.digest, tag: 'v1.0.0' },
  })
  expect((await verifyStoredRelease(hostDir, release.digest)).manifest).toEqual(release.manifest)
  expect((await take(exported)).isNew).toBe(false)
  expect(await exportRelease(hostDir, release)).toEqual(exported)
})

test('a release with the tag of another one is refused', async () => {
  await take(exported)
  const files = await unpackArchive((await unpackTar(exported)).get('artifact.tar.gz')?.content ?? Buffer.alloc(0))
  const other = await forged((all) => {
    all.set('LICENSE', { content: Buffer.from('other'), isExecutable: false })
    return packArchive(all, new Date(0))
  }, files)
  const stored = readdirSync(path.join(hostDir, 'store'))
  await expect(take(other)).rejects.toThrow('v1.0.0 is in the ledger with another content')
  expect(readdirSync(path.join(hostDir, 'store'))).toEqual(stored)
})

describe('refused before anything is written:', () => {
  test('a release signed with a key that is not trusted', async () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    writeFileSync(path.join(hostDir, 'ops/keys/first.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
    await expect(take(exported)).rejects.toThrow('which this host does not trust')
    nothingWasWritten()
  })

  test.each(['artifact.tar.gz', 'release.json', 'release.sig'])('one changed byte of %s', async (name) => {
    const parts = await unpackTar(exported)
    const { content } = parts.get(name) ?? { content: Buffer.alloc(0) }
    // In the middle of the signature's text, in a digit of a checksum, in the compressed bytes.
    const at = name === 'release.json' ? content.indexOf('"lockfileHash": "') + 20 : Math.floor(content.length * 0.7)
    content[at] = content[at] === 0x41 ? 0x42 : 0x41
    await expect(take(await packTar(parts, new Date(0)))).rejects.toThrow(/signature/)
    nothingWasWritten()
  })

  test.each(['artifact.tar.gz', 'release.json', 'release.sig'])('a file without %s', async (name) => {
    const parts = await unpackTar(exported)
    parts.delete(name)
    await expect(take(await packTar(parts, new Date(0)))).rejects.toThrow('This is not an exported release')
    nothingWasWritten()
  })

  test('a file with more in it', async () => {
    const parts = await unpackTar(exported)
    parts.set('more', { content: Buffer.from('x'), isExecutable: true })
    await expect(take(await packTar(parts, new Date(0)))).rejects.toThrow('This is not an exported release')
    nothingWasWritten()
  })

  test('bytes that are no archive', async () => {
    await expect(take(Buffer.alloc(5000, 'x'))).rejects.toThrow()
    nothingWasWritten()
  })

  // A trusted key vouches for the bytes, not for their being harmless.
  test.each<[string, Partial<Header>, string]>([
    ['an extra file', { name: 'backend/src/extra.ts' }, 'backend/src/extra.ts is not part of the release'],
    ['a path out of the release', { name: '../../ops/keys/evil.pub' }, 'is not a path inside a release'],
    ['an absolute path', { name: '/tmp/evil' }, 'is not a path inside a release'],
    [
      'a symbolic link',
      { name: 'link', type: 'symlink', linkname: '/etc' },
      'a symlink: a release holds plain files only',
    ],
    ['a hard link', { name: 'link', type: 'link', linkname: 'dam' }, 'a link: a release holds plain files only'],
    ['a file twice', { name: 'dam' }, '"dam" twice'],
  ])('a properly signed artifact with %s', async (_name, header, message) => {
    const file = await forged(async (files) => {
      const tar = pack()
      const bytes = buffer(tar)
      for (const [name, { content }] of files) tar.entry({ name }, content)
      tar.entry({ name: 'evil', ...header }, header.type ? '' : 'evil')
      tar.finalize()
      return gzipSync(await bytes)
    })
    await expect(take(file)).rejects.toThrow(message)
    nothingWasWritten()
  })

  test('a properly signed artifact that unpacks without end', async () => {
    const zeros = gzipSync(Buffer.alloc(16 * 1024 ** 2))
    const file = await forged(() => Promise.resolve(Buffer.concat(Array.from({ length: 80 }, () => zeros))))
    await expect(take(file)).rejects.toThrow()
    nothingWasWritten()
  })

  test('a properly signed release whose tag is none', async () => {
    const file = await forged(undefined, undefined, (manifest) => manifest.replaceAll('v1.0.0', '../../x'))
    await expect(take(file)).rejects.toThrow('"../../x" is not a release tag')
    nothingWasWritten()
  })
})

/** The exported release with another artifact or manifest, signed with the trusted key. */
async function forged(
  remake: ((files: Map<string, ArchivedFile>) => Promise<Buffer>) | undefined,
  withFiles?: Map<string, ArchivedFile>,
  changeManifest: (text: string) => string = (text) => text,
): Promise<Buffer> {
  const parts = await unpackTar(exported)
  const contentOf = (name: string) => parts.get(name)?.content ?? Buffer.alloc(0)
  const files = withFiles ?? (await unpackTar(gunzipSync(contentOf('artifact.tar.gz'))))
  let manifest = Buffer.from(changeManifest(contentOf('release.json').toString()))
  let artifact = remake ? await remake(files) : contentOf('artifact.tar.gz')
  if (withFiles && remake) {
    // A consistent other release: its manifest describes the changed files.
    const described = JSON.parse(manifest.toString()) as { files: Record<string, string> }
    described.files = Object.fromEntries(
      [...files].filter(([name]) => name !== 'release.json').map(([name, { content }]) => [name, sha256(content)]),
    )
    manifest = Buffer.from(JSON.stringify(described))
    files.set('release.json', { content: manifest, isExecutable: false })
    artifact = await packArchive(files, new Date(0))
  }
  const signature = signRelease(ensureSigningKey(path.join(product.hostDir, 'ops/keys')), sha256(artifact), manifest)
  const contents = {
    'artifact.tar.gz': artifact,
    'release.json': manifest,
    'release.sig': Buffer.from(JSON.stringify(signature)),
  }
  return packTar(
    new Map(Object.entries(contents).map(([name, content]) => [name, { content, isExecutable: false }])),
    new Date(0),
  )
}
