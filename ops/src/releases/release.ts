/** What the ledger knows of a release besides its manifest. */
export type Verdict = 'unknown' | 'good' | 'bad' | 'quarantined'

/** One migration a release brings, as far as deciding what can run on what needs it. */
export type ReleaseMigration = {
  app: string
  number: number
  name: string
  checksum: string
  previousReleaseRuns: boolean
  reason: string
}

/** Written as `release.json` at the root of the artifact, signed, and kept in the ledger. */
export type ReleaseManifest = {
  format: 1
  tag: string
  /** The tag without its `v`; what `/health` answers. */
  version: string
  /** Full hash. */
  commit: string
  /** ISO-8601 UTC, of the commit: building twice gives the same bytes. */
  committedAt: string
  nodeVersion: string
  /** sha256 of pnpm-lock.yaml. */
  lockfileHash: string
  /** sha256 of the toolchain's lockfile. */
  toolchainHash: string
  /** sha256 of the settings table: which settings this release knows. */
  configHash: string
  sbomHash: string
  /** Newest migration of `backend` that must be applied, and the newest this release brings. */
  schema: { min: number; max: number }
  migrations: ReleaseMigration[]
  /** sha256 by path for every file of the artifact but this one. */
  files: Record<string, string>
}

export type Release = {
  /** sha256 of the artifact, hex. */
  digest: string
  tag: string
  version: string
  commit: string
  lockfileHash: string
  schema: { min: number; max: number }
  manifest: ReleaseManifest
  builtAt: string
  verdict: Verdict
  verdictBecause: string
  verdictAt: string | null
}

const tagPattern = /^v(\d{1,6}\.\d{1,6}\.\d{1,6}(?:-[0-9A-Za-z][0-9A-Za-z.-]{0,60})?)$/

/** The version of a release tag (`v1.2.3`, `v1.2.3-rc.1`), or null for anything else. Nothing else ever reaches git or a path. */
export const versionOfTag = (tag: string): string | null => tagPattern.exec(tag)?.[1] ?? null
