import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseMigration } from '@dam/platform/migrate'
import { hostFolders } from '../environments/environment.ts'
import type { ReleaseManifest } from '../releases/release.ts'
import type { Store } from '../store.ts'

/**
 * How a miniature release misbehaves; read by its process from `faults.json` in its folder, again and again. Seconds count from when it
 * read these faults: at its start, or when they were changed.
 */
export type Faults = {
  crashAtBoot?: boolean
  crashAfterSeconds?: number
  readiness?: 'failing' | 'hanging'
  /** Answers as this tag instead of its own. */
  wrongTag?: string
  /** Share of requests answered with 500. */
  errorRate?: number
  /** Only requests whose path begins so. */
  errorRoute?: string
  /** Errors, slowness and leaks of requests begin this long after. */
  afterSeconds?: number
  /** Every answer takes this long, as work does. */
  workMs?: number
  /** Added to `slowShare` of the answers. */
  slowMs?: number
  slowShare?: number
  /** Only while at least this many requests are under way. */
  slowFrom?: number
  /** The event loop stands still this long, every three seconds. */
  blockMs?: number
  leakMegabytesPerSecond?: number
  /** Each request opens this many files and closes none, in a process that may have 512 of them. */
  leakedFiles?: number
  /** Each request starts a timer that never ends: ten times a second it holds up the event loop for so long. */
  leakedTimerMs?: number
  /** Cannot serve while nothing answers at DATABASE_URL. */
  needsDatabase?: boolean
  /** The worker dies at its start. */
  workerCrash?: boolean
}

export type Miniature = { tag: string; digest: string; releaseDir: string; manifest: ReleaseManifest }

/**
 * Makes a release small enough to start in a fifth of a second, installs it and writes it into the ledger. It obeys the
 * contract of a real one: `backend/src/main.ts web|worker`, `/readyz` with its tag, `/health`, SIGTERM.
 */
export function installMiniature(
  hostDir: string,
  store: Store,
  options: { tag: string; faults?: Faults; migrations?: Record<string, string>; schema?: ReleaseManifest['schema'] },
): Miniature {
  const { tag, faults = {}, migrations = {} } = options
  const digest = createHash('sha256').update(`miniature ${tag}`).digest('hex')
  const releaseDir = path.join(hostFolders(hostDir).releases, `${tag}-${digest.slice(0, 12)}`)
  mkdirSync(path.join(releaseDir, 'backend/src'), { recursive: true })
  mkdirSync(path.join(releaseDir, 'backend/migrations'), { recursive: true })
  cpSync(path.join(import.meta.dirname, 'miniature-main.ts'), path.join(releaseDir, 'backend/src/main.ts'))
  for (const [file, text] of Object.entries(migrations)) {
    writeFileSync(path.join(releaseDir, 'backend/migrations', file), text)
  }
  const newest = Object.keys(migrations).length
  const manifest: ReleaseManifest = {
    format: 1,
    tag,
    version: tag.slice(1),
    commit: digest.slice(0, 40),
    committedAt: '2026-01-01T00:00:00.000Z',
    nodeVersion: process.versions.node,
    lockfileHash: '0'.repeat(64),
    toolchainHash: '0'.repeat(64),
    configHash: '0'.repeat(64),
    sbomHash: '0'.repeat(64),
    schema: options.schema ?? { min: newest, max: newest },
    migrations: Object.entries(migrations)
      .map(([file, text]) => parseMigration(file, text))
      .map(({ number, name, checksum, previousReleaseRuns, reason }) => ({
        app: 'backend',
        number,
        name,
        checksum,
        previousReleaseRuns,
        reason,
      })),
    files: {},
  }
  writeFileSync(path.join(releaseDir, 'release.json'), JSON.stringify(manifest))
  writeFileSync(path.join(releaseDir, 'package.json'), '{"type":"module"}')
  setFaults(releaseDir, faults)
  store.run(
    `insert into release (digest, tag, version, commit_hash, lockfile_hash, schema_min, schema_max, manifest, built_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    digest,
    tag,
    manifest.version,
    manifest.commit,
    manifest.lockfileHash,
    manifest.schema.min,
    manifest.schema.max,
    JSON.stringify(manifest),
    new Date().toISOString(),
  )
  return { tag, digest, releaseDir, manifest }
}

export const setFaults = (releaseDir: string, faults: Faults): void =>
  writeFileSync(path.join(releaseDir, 'faults.json'), JSON.stringify(faults))
