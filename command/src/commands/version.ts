import { manifest } from '@dam/backend/src/config.ts'
import { readRelease } from '@dam/backend/src/operations/release.ts'
import { root } from '../config.ts'

export const help = `
Usage: ./dam version

Prints the version of DAM, its commit, and the Node.js that runs it.
`

export async function run(_args: string[]): Promise<number> {
  const { version, commit } = readRelease(root, manifest.version)
  console.log(`DAM ${version}${commit === 'unknown' ? '' : ` (${commit})`}, Node.js ${process.version}`)
  return 0
}
