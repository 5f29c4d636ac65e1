import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { type ExclusiveLock, LockHeldError, takeExclusiveLock } from '@dam/platform/exclusive-lock'
import { readMigrations } from '@dam/platform/migrate'
import { hostFolders } from '../environments/environment.ts'
import { openStore } from '../store.ts'
import { type ArchivedFile, packArchive } from './archive.ts'
import { readBillOfMaterials } from './bill-of-materials.ts'
import { toolchainFilesOf, writeFiles } from './install-release.ts'
import { installPackages, toolPathOf } from './install-packages.ts'
import { findReleaseByTag, insertRelease } from './release-store.ts'
import type { Release, ReleaseManifest } from './release.ts'
import { runTool } from './run-tool.ts'
import { ensureSigningKey, signRelease } from './signature.ts'
import { storeArtifact } from './store-artifact.ts'
import { readSources, readTag, type TaggedCommit } from './tagged-sources.ts'
import { ensureToolchain, nodeOfRelease } from './toolchain-folder.ts'
import { sha256 } from './verify-release.ts'

export type BuildOptions = {
  hostDir: string
  /** A git checkout that has the tag. */
  checkout: string
  tag: string
  /** Hears each step when it begins. */
  say: (message: string) => void
  signal?: AbortSignal
  now?: Date
}

export type BuiltRelease = {
  release: Release
  /** False: the store had this very release. */
  isNew: boolean
  sizeBytes: number
}

/**
 * Makes the release of a git tag: its sources as git has them, the web application built from them, SBOM and manifest
 * in one archive, signed, in the store and the ledger. The same tag gives the same bytes. One build at a time; a
 * build that was killed or cancelled leaves nothing.
 * Throws, saying what to do: no such tag, a tag that was moved after its release, a failed step.
 */
export async function buildRelease(options: BuildOptions): Promise<BuiltRelease> {
  const { hostDir, checkout, say, signal } = options
  const folders = hostFolders(hostDir)
  const tagged = await readTag(checkout, options.tag, signal)
  using store = openStore(folders.ops)
  const known = findReleaseByTag(store, tagged.tag)
  if (known && known.commit !== tagged.commit)
    throw new TagMovedError(known, `it is at commit ${tagged.commit.slice(0, 12)} now`)
  mkdirSync(folders.artifacts, { recursive: true })
  const lock = takeBuildLock(folders.artifacts, tagged.tag)
  try {
    removeDrafts(folders.artifacts)
    const draft = mkdtempSync(path.join(folders.artifacts, '.build-'))
    try {
      say(`sources of ${tagged.tag}, commit ${tagged.commit.slice(0, 12)}`)
      const sources = await readSources(checkout, tagged.commit, signal)
      const { files, manifest } = await buildFiles({ ...options, dir: draft, sources, tagged })
      signal?.throwIfAborted()
      say('packing and signing')
      const artifact = await packArchive(files, tagged.committedAt)
      const digest = sha256(artifact)
      if (known && known.digest !== digest) {
        throw new TagMovedError(known, differenceOf(known.manifest, manifest))
      }
      const manifestBytes = contentOf(files, 'release.json')
      const signature = signRelease(ensureSigningKey(folders.keys), digest, manifestBytes)
      const bytes = { artifact, manifest: manifestBytes, signature: `${JSON.stringify(signature)}\n` }
      const isNew = await storeArtifact(hostDir, { digest, bytes, sbom: contentOf(files, 'sbom.json') })
      const release = insertRelease(store, { digest, manifest }, options.now ?? new Date())
      return { release, isNew: isNew || !known, sizeBytes: artifact.length }
    } finally {
      rmSync(draft, { recursive: true, force: true })
    }
  } finally {
    lock.release()
  }
}

/** What a second build of one commit made otherwise. */
function differenceOf(known: ReleaseManifest, built: ReleaseManifest): string {
  const names = new Set([...Object.keys(known.files), ...Object.keys(built.files)])
  const differing = [...names].filter((name) => known.files[name] !== built.files[name])
  return `building the same commit now gives other bytes (${differing.join(', ') || 'of the archive only'}), so something outside the sources has changed`
}

/** A tag that was released means something else now. Nothing was written. */
export class TagMovedError extends Error {
  override readonly name = 'TagMovedError'

  constructor(known: Release, difference: string) {
    super(
      `${known.tag} was released as ${known.digest.slice(0, 12)} from commit ${known.commit.slice(0, 12)}; ${difference}. A released tag never changes: release this as a new tag.`,
    )
  }
}

type FillOptions = BuildOptions & { dir: string; sources: Map<string, ArchivedFile>; tagged: TaggedCommit }

async function buildFiles(
  options: FillOptions,
): Promise<{ files: Map<string, ArchivedFile>; manifest: ReleaseManifest }> {
  const { hostDir, dir, sources, say, signal } = options
  writeFiles(dir, sources)
  say('Node.js and pnpm')
  const toolchain = await ensureToolchain({ hostDir, files: toolchainFilesOf(sources), say, signal })
  symlinkSync(path.join(toolchain, 'node_modules'), path.join(dir, 'toolchain/node_modules'))
  say('packages')
  await installPackages({ hostDir, dir, packages: 'all', say, signal })
  say('the web application')
  await runTool('/bin/sh', ['./dam', 'build'], { cwd: dir, signal, env: { PATH: toolPathOf(dir) } })
  say('bill of materials')
  const files = new Map([...sources, ...readBuiltFiles(dir)])
  files.set('sbom.json', { content: await readBillOfMaterials({ hostDir, dir, signal }), isExecutable: false })
  const nodeVersion = (await runTool(nodeOfRelease(dir), ['--version'], { cwd: dir, signal })).toString().trim()
  const manifest = describeRelease({ files, tagged: options.tagged, nodeVersion, dir })
  const content = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
  files.set('release.json', { content, isExecutable: false })
  return { files, manifest }
}

/** `frontend/dist` and its sisters: what the build of the web application made. */
function readBuiltFiles(dir: string): Map<string, ArchivedFile> {
  const files = new Map<string, ArchivedFile>()
  const outputs = readdirSync(path.join(dir, 'frontend')).filter((name) => name.startsWith('dist'))
  for (const output of outputs) {
    const below = `frontend/${output}`
    for (const name of readdirSync(path.join(dir, below), { recursive: true, encoding: 'utf8' })) {
      const file = path.join(dir, below, name)
      if (statSync(file).isFile()) {
        files.set(`${below}/${name.replaceAll(path.sep, '/')}`, { content: readFileSync(file), isExecutable: false })
      }
    }
  }
  if (files.size === 0) throw new Error('The build of the web application made no frontend/dist.')
  return files
}

function describeRelease(options: {
  files: ReadonlyMap<string, ArchivedFile>
  tagged: TaggedCommit
  nodeVersion: string
  dir: string
}): ReleaseManifest {
  const { files, tagged } = options
  const hashOf = (name: string) => sha256(contentOf(files, name))
  const migrations = readMigrations(path.join(options.dir, 'backend/migrations'))
  const newest = migrations.at(-1)?.number ?? 0
  return {
    format: 1,
    tag: tagged.tag,
    version: tagged.version,
    commit: tagged.commit,
    committedAt: tagged.committedAt.toISOString(),
    nodeVersion: options.nodeVersion,
    lockfileHash: hashOf('pnpm-lock.yaml'),
    toolchainHash: hashOf('toolchain/package-lock.json'),
    // Every release's tests hold this file against its table of settings.
    configHash: hashOf('.env.example'),
    sbomHash: hashOf('sbom.json'),
    schema: { min: newest, max: newest },
    migrations: migrations.map(({ number, name, checksum, previousReleaseRuns, reason }) => ({
      app: 'backend',
      number,
      name,
      checksum,
      previousReleaseRuns,
      reason,
    })),
    files: Object.fromEntries([...files.keys()].sort().map((name) => [name, hashOf(name)])),
  }
}

function contentOf(files: ReadonlyMap<string, ArchivedFile>, name: string): Buffer {
  const file = files.get(name)
  if (!file) throw new Error(`The tag has no ${name}, so it is not a DAM that can be released.`)
  return file.content
}

function takeBuildLock(folder: string, tag: string): ExclusiveLock {
  try {
    return takeExclusiveLock(path.join(folder, '.build.lock'), { tag })
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    const { tag: other = 'a release', pid = 'unknown' } = error.holder
    const who = `process ${String(pid)}`
    throw new Error(`${String(other)} is being built by ${who}. Build ${tag} when that is done.`, { cause: error })
  }
}

/** Builds have the folder one at a time, so a draft is what a killed one left. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith('.build-')) rmSync(path.join(folder, name), { recursive: true, force: true })
  }
}
