import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ExclusiveLock, LockHeldError, takeExclusiveLock } from '@dam/platform/exclusive-lock'
import { hostFolders } from '../environments/environment.ts'
import type { ArchivedFile } from './archive.ts'
import { installPackages, type PackageSet } from './install-packages.ts'
import { inspectFolder, installedMarker, readMarker } from './release-folder.ts'
import type { Release } from './release.ts'
import { ensureToolchain, type ToolchainFiles } from './toolchain-folder.ts'
import { verifyStoredRelease } from './verify-release.ts'

export type InstallOptions = {
  hostDir: string
  release: Pick<Release, 'digest' | 'tag'>
  say: (message: string) => void
  signal?: AbortSignal
  /** Default `production`; `all` gives a second folder in which the release's checks and tests can run. */
  packages?: PackageSet
}

/** Name of the folder a release is installed in, below `releases` of the host. */
export const releaseFolderName = (
  release: Pick<Release, 'digest' | 'tag'>,
  packages: PackageSet = 'production',
): string => `${release.tag}-${release.digest.slice(0, 12)}${packages === 'all' ? '-tests' : ''}`

/**
 * Makes the folder a release runs from, or finds it. Signature, artifact and every file are verified before anything
 * is written. The folder appears whole or not at all: it is made under another name, its marker goes in last, then it
 * is renamed; a run that was killed is simply done again, and two at once wait for each other. An installed folder
 * whose files were changed since is moved aside and made anew.
 * Needs no network once the host has the packages. Throws, saying what to do, when the release may not be used.
 */
export async function installRelease(options: InstallOptions): Promise<{ dir: string }> {
  const { hostDir, release, signal } = options
  const { releases } = hostFolders(hostDir)
  const name = releaseFolderName(release, options.packages)
  const dir = path.join(releases, name)
  mkdirSync(releases, { recursive: true })
  const lock = await waitForTurn(path.join(releases, `.${name}.lock`), signal)
  try {
    removeDrafts(releases, name)
    const verified = await verifyStoredRelease(hostDir, release.digest)
    if (verified.manifest.tag !== release.tag) {
      throw new Error(
        `The ledger calls release ${release.digest.slice(0, 12)} ${release.tag}, its signed manifest ${verified.manifest.tag}.`,
      )
    }
    if (existsSync(dir)) {
      const differences = inspectFolder(dir, verified)
      if (readMarker(dir)?.digest === release.digest && differences.length === 0) return { dir }
      options.say(`${name} was changed since it was installed (${differences[0] ?? 'no marker'}): installing it again`)
      renameSync(dir, path.join(releases, `.${name}.damaged-${Date.now()}`))
    }
    const draft = mkdtempSync(path.join(releases, `.${name}.draft-`))
    try {
      await fill(draft, verified.files, options)
      const marker = { digest: release.digest, tag: release.tag, installedAt: new Date().toISOString() }
      writeFileSync(path.join(draft, installedMarker), `${JSON.stringify(marker)}\n`, { flush: true })
      chmodSync(draft, 0o755)
      renameSync(draft, dir)
    } catch (error) {
      rmSync(draft, { recursive: true, force: true })
      throw error
    }
    return { dir }
  } finally {
    lock.release()
  }
}

async function fill(dir: string, files: ReadonlyMap<string, ArchivedFile>, options: InstallOptions): Promise<void> {
  options.say('unpacking')
  writeFiles(dir, files)
  const folder = await ensureToolchain({ ...options, files: toolchainFilesOf(files), signal: options.signal })
  symlinkSync(
    path.relative(path.join(dir, 'toolchain'), path.join(folder, 'node_modules')),
    path.join(dir, 'toolchain/node_modules'),
  )
  options.say('installing packages')
  await installPackages({ ...options, dir, packages: options.packages ?? 'production', signal: options.signal })
}

/** Files of a release as a folder nobody writes to by accident: they are read-only, their folders are not. */
export function writeFiles(dir: string, files: ReadonlyMap<string, ArchivedFile>): void {
  for (const [name, { content, isExecutable }] of files) {
    const file = path.join(dir, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, content, { mode: isExecutable ? 0o555 : 0o444, flag: 'wx' })
  }
}

export function toolchainFilesOf(files: ReadonlyMap<string, ArchivedFile>): ToolchainFiles {
  const [manifest, lockfile] = ['toolchain/package.json', 'toolchain/package-lock.json'].map(
    (name) => files.get(name)?.content,
  )
  if (!manifest || !lockfile)
    throw new Error('The release has no toolchain/package.json and package-lock.json, so it is not a DAM.')
  return { manifest, lockfile }
}

/** The folder is in use by one run at a time, so a draft of it is what a killed run left. */
function removeDrafts(releases: string, name: string): void {
  for (const entry of readdirSync(releases)) {
    if (entry.startsWith(`.${name}.draft-`)) rmSync(path.join(releases, entry), { recursive: true, force: true })
  }
}

async function waitForTurn(file: string, signal: AbortSignal | undefined): Promise<ExclusiveLock> {
  for (;;) {
    signal?.throwIfAborted()
    try {
      return takeExclusiveLock(file, { purpose: 'installs a release' })
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error
      await sleep(100, undefined, signal ? { signal } : {})
    }
  }
}
