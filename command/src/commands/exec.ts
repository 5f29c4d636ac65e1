import { spawn } from 'node:child_process'
import { shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { toolPath } from '../toolchain.ts'

export const help = `
Usage: ./dam exec <program> [<argument> ...]

Runs a program with DAM's own pnpm and Node.js first in PATH, in the current folder.
`

export async function run(args: string[]): Promise<number> {
  const [program, ...rest] = args
  if (program === undefined) throw new CommandFailure('Which program? ./dam exec <program> [<argument> ...]')
  const child = spawn(program, rest, {
    stdio: 'inherit',
    env: { ...shellEnvironment, PATH: toolPath(shellEnvironment['PATH']) },
  })
  // A Ctrl-C reaches the program too; it decides what that means, and we report how it ended.
  const ignore = (): void => undefined
  process.on('SIGINT', ignore).on('SIGTERM', () => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new CommandFailure(`${program} could not be started: ${error.message}`)))
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)))
  })
}
