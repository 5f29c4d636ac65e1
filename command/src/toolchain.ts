import { existsSync } from 'node:fs'
import path from 'node:path'
import { root } from './config.ts'

const platform = `${process.platform}-${process.arch}`
const modules = path.join(root, 'toolchain/node_modules')

/** The pinned pnpm. */
export const pnpmProgram = path.join(modules, `@pnpm/exe.${platform}/pnpm`)

/** The pinned Node.js: the one that runs us. */
export const nodeProgram = process.execPath

/** A PATH that finds the pinned pnpm and Node.js first. */
export const toolPath = (current: string | undefined): string =>
  [path.dirname(nodeProgram), path.dirname(pnpmProgram), current].filter(Boolean).join(path.delimiter)

/** A program of the workspace's development dependencies. */
export const workspaceProgram = (name: string): string => path.join(root, 'node_modules/.bin', name)

/** Where a program is on this PATH, or null. */
export function findProgram(name: string, searchPath: string | undefined): string | null {
  for (const dir of (searchPath ?? '').split(path.delimiter)) {
    if (dir && existsSync(path.join(dir, name))) return path.join(dir, name)
  }
  return null
}
