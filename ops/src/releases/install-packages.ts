import { copyFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { hostFolders } from '../environments/environment.ts'
import { runTool, ToolFailure } from './run-tool.ts'
import { nodeOfRelease, pnpmOfRelease } from './toolchain-folder.ts'

/** `production`: what running needs. `all`: building and testing as well. */
export type PackageSet = 'production' | 'all'

/** A PATH that begins with the release's own Node.js and pnpm. */
export const toolPathOf = (dir: string): string =>
  [path.dirname(nodeOfRelease(dir)), path.dirname(pnpmOfRelease(dir)), '/usr/local/bin', '/usr/bin', '/bin'].join(
    path.delimiter,
  )

/**
 * Installs the packages of an unpacked release, exactly as its lockfile says, from the host's package folder. What that
 * folder lacks comes from the registry, and that is said.
 */
export async function installPackages(options: {
  hostDir: string
  dir: string
  packages: PackageSet
  say: (message: string) => void
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { dir, signal } = options
  const args = [
    'install',
    '--frozen-lockfile',
    '--ignore-scripts',
    `--store-dir=${hostFolders(options.hostDir).packages}`,
    '--reporter=append-only',
    '--config.confirm-modules-purge=false',
    ...(options.packages === 'production' ? ['--prod'] : []),
  ]
  const run = (more: string[]) =>
    runTool(pnpmOfRelease(dir), [...args, ...more], { cwd: dir, signal, env: { PATH: toolPathOf(dir) } })
  try {
    // The lockfile is signed; asking the registry about its packages' ages again would need a network.
    await run(['--offline', '--trust-lockfile'])
  } catch (error) {
    if (!(error instanceof ToolFailure) || !error.output.includes('ERR_PNPM_NO_OFFLINE_')) throw error
    options.say('the host has not all packages of this release yet: fetching them from the registry')
    await run(['--prefer-offline'])
  }
  mkdirSync(path.join(dir, 'node_modules'), { recursive: true })
  copyFileSync(path.join(dir, 'pnpm-lock.yaml'), path.join(dir, 'node_modules/.installed'))
}
