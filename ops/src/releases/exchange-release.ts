import { readFileSync } from 'node:fs'
import path from 'node:path'
import { hostFolders } from '../environments/environment.ts'
import { openStore } from '../store.ts'
import { packTar, unpackTar } from './archive.ts'
import { assertTagIsFree, insertRelease } from './release-store.ts'
import type { Release } from './release.ts'
import { readTrustedKeys } from './signature.ts'
import { storeArtifact } from './store-artifact.ts'
import { artifactFolder, verifyReleaseBytes, verifyStoredRelease } from './verify-release.ts'

const parts = ['artifact.tar.gz', 'release.json', 'release.sig'] as const

/** A release as one file for another host: artifact, manifest and signature. Verified before it is given away. */
export async function exportRelease(hostDir: string, release: Pick<Release, 'digest'>): Promise<Buffer> {
  const { manifest } = await verifyStoredRelease(hostDir, release.digest)
  const folder = artifactFolder(hostDir, release.digest)
  const files = parts.map(
    (name) => [name, { content: readFileSync(path.join(folder, name)), isExecutable: false }] as const,
  )
  return packTar(new Map(files), new Date(manifest.committedAt))
}

/**
 * Takes an exported release into the store and the ledger. Nothing is written before its signature by a trusted key
 * and every file of it are verified. Throws, naming what is wrong with it.
 */
export async function importRelease(options: {
  hostDir: string
  file: Buffer
  now: Date
}): Promise<{ release: Release; isNew: boolean; signedBy: string }> {
  const { hostDir } = options
  const folders = hostFolders(hostDir)
  const files = await unpackTar(options.file)
  const [artifact, manifest, signature] = parts.map((name) => files.get(name)?.content)
  if (!artifact || !manifest || !signature || files.size !== parts.length) {
    throw new Error(
      'This is not an exported release. Make one on the other host: ./dam release export v1.0.0 > v1.0.0.release',
    )
  }
  const bytes = { artifact, manifest, signature: signature.toString() }
  const verified = await verifyReleaseBytes(bytes, { trusted: readTrustedKeys(folders.keys) })
  const sbom = verified.files.get('sbom.json')
  if (!sbom) throw new Error(`${verified.manifest.tag} has no sbom.json.`)
  using store = openStore(folders.ops)
  // The ledger refuses a tag that has another content; then the store stays as it was, too.
  const { digest } = verified
  assertTagIsFree(store, verified.manifest.tag, digest)
  const isNew = await storeArtifact(hostDir, { digest, bytes, sbom: sbom.content })
  const release = insertRelease(store, { digest, manifest: verified.manifest }, options.now)
  return { release, isNew, signedBy: verified.signedBy.name }
}
