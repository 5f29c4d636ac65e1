import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { hostFolders } from '../environments/environment.ts'
import { releaseFolderName } from './install-release.ts'
import { installedMarker, readMarker } from './release-folder.ts'
import type { Release } from './release.ts'
import { compareFiles, sha256, verifyStoredRelease } from './verify-release.ts'

/** What of a release is on this host and can be trusted. */
export type ReleaseCondition = {
  /** Null when its artifact is in the store, signed, and every checksum fits. */
  artifactProblem: string | null
  /** The folder it is installed in, when every file there is as the ledger has it; null: not installed, or changed. */
  intactFolder: string | null
}

export async function inspectRelease(hostDir: string, release: Release): Promise<ReleaseCondition> {
  const artifactProblem = await verifyStoredRelease(hostDir, release.digest).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  return { artifactProblem, intactFolder: intactFolder(hostDir, release) }
}

/** Needs no artifact: the ledger has the checksum of each file. Packages are not looked at, nor are they in an artifact. */
function intactFolder(hostDir: string, release: Release): string | null {
  const dir = path.join(hostFolders(hostDir).releases, releaseFolderName(release))
  if (readMarker(dir)?.digest !== release.digest) return null
  try {
    const hashes = new Map<string, string>()
    for (const entry of walk(dir, '')) hashes.set(entry, sha256(readFileSync(path.join(dir, entry))))
    hashes.delete('release.json')
    const manifest: unknown = JSON.parse(readFileSync(path.join(dir, 'release.json'), 'utf8'))
    const isAsInLedger = isDeepStrictEqual(manifest, release.manifest)
    return isAsInLedger && compareFiles(release.manifest, hashes).length === 0 ? dir : null
  } catch {
    return null
  }
}

/** Throws at whatever is neither file nor folder: a release has nothing else. */
function walk(dir: string, below: string): string[] {
  return readdirSync(path.join(dir, below), { withFileTypes: true }).flatMap((entry) => {
    const name = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.name === 'node_modules' || name === installedMarker) return []
    if (entry.isDirectory()) return walk(dir, name)
    if (!entry.isFile()) throw new Error(`${name} is not a plain file`)
    return [name]
  })
}
