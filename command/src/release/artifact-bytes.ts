import { statSync } from 'node:fs'
import path from 'node:path'
import { artifactFolder } from '@dam/ops/src/releases/verify-release.ts'

/** Size of a release in the store; null when it is not there (any more). */
export const artifactBytes = (hostDir: string, digest: string): number | null =>
  statSync(path.join(artifactFolder(hostDir, digest), 'artifact.tar.gz'), { throwIfNoEntry: false })?.size ?? null

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
