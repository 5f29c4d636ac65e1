import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { hostFolders } from '../environments/environment.ts'
import { artifactFolder, type ReleaseBytes, verifyStoredRelease } from './verify-release.ts'

/**
 * Puts a release into the store: `artifact.tar.gz`, `release.json`, `release.sig`, `sbom.json`, on the disk before
 * the folder appears under its digest. False when it was there and intact; one that is not intact is replaced.
 */
export async function storeArtifact(
  hostDir: string,
  release: { digest: string; bytes: ReleaseBytes; sbom: Buffer },
): Promise<boolean> {
  const folder = artifactFolder(hostDir, release.digest)
  if (existsSync(folder)) {
    if (await isIntact(hostDir, release.digest)) return false
    rmSync(folder, { recursive: true })
  }
  const { artifacts } = hostFolders(hostDir)
  mkdirSync(artifacts, { recursive: true })
  const draft = mkdtempSync(path.join(artifacts, '.draft-'))
  try {
    const contents = {
      'artifact.tar.gz': release.bytes.artifact,
      'release.json': release.bytes.manifest,
      'release.sig': release.bytes.signature,
      'sbom.json': release.sbom,
    }
    for (const [name, content] of Object.entries(contents)) {
      writeFileSync(path.join(draft, name), content, { mode: 0o444, flush: true })
    }
    renameSync(draft, folder)
    syncFolder(artifacts)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return true
}

async function isIntact(hostDir: string, digest: string): Promise<boolean> {
  try {
    await verifyStoredRelease(hostDir, digest)
    return true
  } catch {
    return false
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
