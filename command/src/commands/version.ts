import { spawnSync } from 'node:child_process'
import { manifest } from '@dam/backend/src/config.ts'
import { root } from '../config.ts'

export const help = `
Usage: ./dam version

Prints the version of DAM, its commit, and the Node.js that runs it.
`

export async function run(_args: string[]): Promise<number> {
  const commit = spawnSync('git', ['-C', root, 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' })
  const suffix = commit.status === 0 ? ` (${commit.stdout.trim()})` : ''
  console.log(`DAM ${manifest.version}${suffix}, Node.js ${process.version}`)
  return 0
}
