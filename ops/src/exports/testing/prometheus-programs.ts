import { execFile, execFileSync, spawn } from 'node:child_process'
import { promisify } from 'node:util'

/** Debian's packages prometheus and prometheus-alertmanager bring these. */
export type Program = 'promtool' | 'amtool' | 'prometheus' | 'prometheus-alertmanager'

/** False, with one line that says so, where a program is missing. */
export function isInstalled(...programs: Program[]): boolean {
  const missing = programs.filter((program) => {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' })
      return false
    } catch {
      return true
    }
  })
  if (missing.length > 0)
    console.warn(`not tested: ${missing.join(', ')} missing; apt-get install prometheus prometheus-alertmanager`)
  return missing.length === 0
}

const execute = promisify(execFile)

/** What a program printed; throws with its output when it fails. */
export async function output(program: Program, args: readonly string[], input?: string): Promise<string> {
  const running = execute(program, args, { maxBuffer: 64 * 1024 * 1024 })
  if (input !== undefined) running.child.stdin?.end(input)
  try {
    const { stdout, stderr } = await running
    return stdout + stderr
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error })
  }
}

/** A server that runs until disposed. */
export function running(program: Program, args: readonly string[]): AsyncDisposable & { log(): string } {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  const keep = (chunk: Buffer): void => void (log += chunk.toString())
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise((resolve) => child.once('close', resolve))
  return {
    log: () => log,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
