import { spawn } from 'node:child_process'
import { limits } from './limits.ts'
import type { Tools } from './tools.ts'

export type ToolRun = { stdout: Buffer; stderr: string; exitCode: number | null }

/**
 * Runs a program without a shell, in `folder`, with nothing of our environment, bounded in time, output and file size.
 * Rejects when it cannot start, is too slow or writes too much; a non-zero exit is a result.
 */
export function runTool(
  tools: Tools,
  argv: readonly [string, ...string[]],
  options: { folder: string; timeoutMs: number; maxOutputBytes?: number },
): Promise<ToolRun> {
  const limited = tools.prlimit
    ? [
        tools.prlimit,
        `--cpu=${Math.ceil(options.timeoutMs / 1000) + 5}`,
        '--fsize=1073741824',
        '--core=0',
        '--nofile=256',
        '--',
        ...argv,
      ]
    : [...argv]
  const [program, ...args] = limited
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      cwd: options.folder,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', HOME: options.folder, TMPDIR: options.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const maxOutputBytes = options.maxOutputBytes ?? limits.toolOutputBytes
    const stdout: Buffer[] = []
    let size = 0
    let stderr = ''
    const stop = (message: string) => {
      child.kill('SIGKILL')
      reject(new Error(message))
    }
    const timer = setTimeout(() => stop(`${argv[0]} took longer than ${options.timeoutMs} ms`), options.timeoutMs)
    child.stdout.on('data', (part: Buffer) => {
      size += part.length
      if (size > maxOutputBytes) stop(`${argv[0]} wrote more than ${maxOutputBytes} bytes`)
      else stdout.push(part)
    })
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      if (stderr.length < 16_384) stderr += part
    })
    child.once('error', reject)
    child.once('close', (exitCode) => {
      clearTimeout(timer)
      resolve({ stdout: Buffer.concat(stdout), stderr, exitCode })
    })
  })
}
