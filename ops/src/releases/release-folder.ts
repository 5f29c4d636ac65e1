import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { compareFiles, sha256, type VerifiedRelease } from './verify-release.ts'

/** Written last into an installed release. */
export const installedMarker = '.installed'

export type Marker = { digest: string; tag: string; installedAt: string }

/** Null when the folder is not there or its installation did not end. */
export function readMarker(dir: string): Marker | null {
  try {
    return JSON.parse(readFileSync(path.join(dir, installedMarker), 'utf8')) as Marker
  } catch {
    return null
  }
}

/**
 * In words, which files of an installed release differ from its manifest, are missing or do not belong there; empty
 * when none. Packages (`node_modules`) are not looked at: pnpm takes them from its store by the lockfile's integrity.
 */
export function inspectFolder(dir: string, release: Pick<VerifiedRelease, 'manifest' | 'manifestBytes'>): string[] {
  const hashes = new Map<string, string>()
  const unexpected: string[] = []
  const walk = (below: string): void => {
    for (const entry of readdirSync(path.join(dir, below), { withFileTypes: true })) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.name === 'node_modules' || name === installedMarker) continue
      if (entry.isDirectory()) walk(name)
      else if (!entry.isFile()) unexpected.push(`${name} is not a plain file`)
      else hashes.set(name, sha256(readFileSync(path.join(dir, name))))
    }
  }
  walk('')
  // The manifest cannot hold its own checksum.
  const own = hashes.get('release.json')
  hashes.delete('release.json')
  const ofManifest =
    own === sha256(release.manifestBytes) ? [] : [own ? 'release.json was changed' : 'release.json is missing']
  return [...ofManifest, ...compareFiles(release.manifest, hashes), ...unexpected]
}
