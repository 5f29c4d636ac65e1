import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { root, shellEnvironment } from '../config.ts'

/** Runs another command of ours and gives what it printed. Throws with its errors when it fails. */
export async function runDam(args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(root, 'command/src/main.ts'), ...args], {
    env: shellEnvironment,
    maxBuffer: 16 * 1024 * 1024,
  })
  return stdout.trim()
}
