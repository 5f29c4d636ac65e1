import { spawn } from 'node:child_process'
import { root, shellEnvironment } from './config.ts'
import { toolPath } from './toolchain.ts'

export type Outcome = { code: number; output: string }

/** Runs a program at the root of the checkout with the pinned tools in PATH; resolves with its exit code and output. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string | undefined>; show?: boolean } = {},
): Promise<Outcome> {
  const child = spawn(program, args, {
    cwd: options.cwd ?? root,
    env: { ...shellEnvironment, PATH: toolPath(shellEnvironment['PATH']), ...options.env },
    stdio: options.show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) =>
      resolve({ code: code ?? 1, output: signal ? `${output}\nended by ${signal}` : output }),
    )
  })
}
