import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { hostFolders } from '../environments/environment.ts'
import { type ArchivedFile, unpackArchive } from './archive.ts'
import { type ReleaseManifest, versionOfTag } from './release.ts'
import { readTrustedKeys, type TrustedKey, verifySignature } from './signature.ts'

export const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

/** The bytes a release consists of, as they lie in the store or in an exported file. */
export type ReleaseBytes = { artifact: Buffer; manifest: Buffer; signature: string }

export type VerifiedRelease = {
  digest: string
  manifest: ReleaseManifest
  /** `release.json` as signed. */
  manifestBytes: Buffer
  signedBy: TrustedKey
  /** Every file of the artifact, `release.json` among them. */
  files: Map<string, ArchivedFile>
}

/** Folder of a release in the store. The digest is checked, so that nothing else becomes a path. */
export function artifactFolder(hostDir: string, digest: string): string {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new Error(`${JSON.stringify(digest)} is not the digest of a release.`)
  return path.join(hostFolders(hostDir).artifacts, digest)
}

/**
 * Reads the release of this digest from the store and checks signature, digest and every file. Throws, naming what is
 * missing or was changed.
 */
export async function verifyStoredRelease(hostDir: string, digest: string): Promise<VerifiedRelease> {
  const folder = artifactFolder(hostDir, digest)
  const read = (name: string): Buffer => {
    try {
      return readFileSync(path.join(folder, name))
    } catch (error) {
      throw new Error(
        `${name} of release ${digest.slice(0, 12)} is missing from the store. Build the tag again, or import the release from another host.`,
        { cause: error },
      )
    }
  }
  const bytes = {
    artifact: read('artifact.tar.gz'),
    manifest: read('release.json'),
    signature: read('release.sig').toString(),
  }
  return verifyReleaseBytes(bytes, { trusted: readTrustedKeys(hostFolders(hostDir).keys), digest })
}

/** The signature is checked before a byte of the artifact is unpacked. `digest`: the one it must be, when that is known. */
export async function verifyReleaseBytes(
  bytes: ReleaseBytes,
  expected: { trusted: readonly TrustedKey[]; digest?: string },
): Promise<VerifiedRelease> {
  const digest = sha256(bytes.artifact)
  if (expected.digest !== undefined && digest !== expected.digest) {
    throw new Error(
      `The artifact of release ${expected.digest.slice(0, 12)} was changed: its sha256 is now ${digest}. It is not used. Build the tag again, or import the release from another host.`,
    )
  }
  const signedBy = verifySignature(expected.trusted, digest, bytes.manifest, bytes.signature)
  const manifest = parseManifest(bytes.manifest)
  const files = await unpackArchive(bytes.artifact)
  if (!files.get('release.json')?.content.equals(bytes.manifest)) {
    throw new Error(`release.json inside the artifact of ${manifest.tag} is not the signed one.`)
  }
  const differences = compareFiles(
    manifest,
    new Map([...files].filter(([name]) => name !== 'release.json').map(([name, file]) => [name, sha256(file.content)])),
  )
  if (differences.length > 0)
    throw new Error(`The artifact of ${manifest.tag} is not what its manifest says: ${differences.join(', ')}.`)
  return { digest, manifest, manifestBytes: bytes.manifest, signedBy, files }
}

/** In words, what of the files at hand differs from the manifest; empty when nothing does. */
export function compareFiles(manifest: ReleaseManifest, hashes: ReadonlyMap<string, string>): string[] {
  const wanted = Object.entries(manifest.files).flatMap(([name, hash]) => {
    const found = hashes.get(name)
    if (found === hash) return []
    return [found === undefined ? `${name} is missing` : `${name} was changed`]
  })
  const extra = [...hashes.keys()].filter((name) => !Object.hasOwn(manifest.files, name))
  return [...wanted, ...extra.map((name) => `${name} is not part of the release`)]
}

function parseManifest(bytes: Buffer): ReleaseManifest {
  const manifest = JSON.parse(bytes.toString()) as ReleaseManifest
  if (manifest.format !== 1) {
    throw new Error(
      `The release has format ${String(manifest.format)}; this DAM reads 1. Use the newer release for it.`,
    )
  }
  if (versionOfTag(manifest.tag) !== manifest.version)
    throw new Error(`${JSON.stringify(manifest.tag)} is not a release tag`)
  return manifest
}
