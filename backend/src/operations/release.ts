import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

/** Which release a process runs. */
export type Release = {
  version: string
  /** Abbreviated, or `unknown`. */
  commit: string
  /** The git tag it was built from; null for a checkout. */
  tag: string | null
}

/** What stands for the tag where text is needed. */
export const releaseName = ({ tag }: Pick<Release, 'tag'>): string => tag ?? 'dev'

const commitDigits = 7

// Written by the builder of releases; the rest of it is not for us.
const manifestSchema = z.object({
  tag: z.string().regex(/^v\d[\w.-]{0,80}$/),
  version: z.string().regex(/^\d[\w.-]{0,80}$/),
  commit: z.string().regex(/^[0-9a-f]{7,64}$/),
})

/**
 * The release whose files lie in `root`: as its `release.json` says, or, for a checkout, `fallbackVersion` and what git says. Throws when
 * there is a `release.json` that cannot be read, because then nothing about the release is certain.
 */
export function readRelease(root: string, fallbackVersion: string): Release {
  const file = path.join(root, 'release.json')
  if (!existsSync(file)) return { version: fallbackVersion, commit: commitOf(root), tag: null }
  try {
    const { tag, version, commit } = manifestSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return { tag, version, commit: commit.slice(0, commitDigits) }
  } catch (error) {
    throw new Error(`${file} does not describe a release. Install the release again, or remove the file.`, {
      cause: error,
    })
  }
}

/** The commit this runs from, where git knows it. */
function commitOf(directory: string): string {
  try {
    return execFileSync('git', ['rev-parse', `--short=${commitDigits}`, 'HEAD'], {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
