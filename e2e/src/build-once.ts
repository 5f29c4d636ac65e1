import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { root } from './config.ts'

/** Builds application and console where that is not done yet. */
export function buildOnce(): void {
  const built = spawnSync(path.join(root, 'dam'), ['build'], { cwd: root, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(built.stderr)
}
