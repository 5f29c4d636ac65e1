import {
  existsSync,
  linkSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { hostFolders } from '../environments/environment.ts'
import { runTool } from './run-tool.ts'
import { sha256 } from './verify-release.ts'

export type ToolchainFiles = { manifest: Buffer; lockfile: Buffer }

const platform = `${process.platform}-${process.arch}`

/** Of the DAM that runs this. */
const ownToolchain = path.resolve(import.meta.dirname, '../../../toolchain')

/** The pinned Node.js of an unpacked release. npm has none for Macs with Apple's processor: the one that runs us does. */
export const nodeOfRelease = (releaseDir: string): string =>
  platform === 'darwin-arm64'
    ? process.execPath
    : path.join(releaseDir, 'toolchain/node_modules', `node-${platform}/bin/node`)

/** The pinned pnpm of an unpacked release. */
export const pnpmOfRelease = (releaseDir: string): string =>
  path.join(releaseDir, 'toolchain/node_modules', `@pnpm/exe.${platform}/pnpm`)

/**
 * The folder with Node.js and pnpm for this lockfile, shared by every release that has the same; made when missing,
 * from the toolchain that runs us when it is the same, else from the registry. Appears whole or not at all.
 */
export async function ensureToolchain(options: {
  hostDir: string
  files: ToolchainFiles
  say: (message: string) => void
  signal?: AbortSignal | undefined
}): Promise<string> {
  const { toolchains } = hostFolders(options.hostDir)
  const hash = sha256(options.files.lockfile)
  const folder = path.join(toolchains, hash)
  if (existsSync(path.join(folder, 'node_modules/.installed'))) return folder
  mkdirSync(toolchains, { recursive: true })
  const draft = mkdtempSync(path.join(toolchains, '.draft-'))
  try {
    writeFileSync(path.join(draft, 'package.json'), options.files.manifest)
    writeFileSync(path.join(draft, 'package-lock.json'), options.files.lockfile)
    const modules = path.join(draft, 'node_modules')
    if (isInstalled(ownToolchain, options.files.lockfile)) {
      linkTree(path.join(ownToolchain, 'node_modules'), modules)
    } else {
      options.say('fetching Node.js and pnpm of this release from the registry')
      await runTool('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
        cwd: draft,
        signal: options.signal,
      })
    }
    writeFileSync(path.join(modules, '.installed'), options.files.lockfile, { flush: true })
    renameUnlessThere(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return folder
}

/** Renames a finished folder to its place; when another process was first, its folder stays. */
export function renameUnlessThere(draft: string, folder: string): void {
  try {
    renameSync(draft, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  }
}

function isInstalled(toolchain: string, lockfile: Buffer): boolean {
  const stamp = path.join(toolchain, 'node_modules/.installed')
  return existsSync(stamp) && readFileSync(stamp).equals(lockfile)
}

/** A copy that shares the bytes where both are on one file system. `.installed` is left to the caller: it goes last. */
function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.name === '.installed') continue
    if (entry.isDirectory()) linkTree(source, target)
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else linkOrCopy(source, target)
  }
}

function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch {
    copyFileSync(source, target)
  }
}
