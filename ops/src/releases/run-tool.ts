import { spawn } from 'node:child_process'
import { shellEnvironment } from '../config.ts'

export type ToolRun = {
  cwd: string
  signal?: AbortSignal | undefined
  /** Added to the environment below. */
  env?: Record<string, string>
}

/** Program, exit code and the end of what it said are in the message. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
  readonly output: string

  constructor(message: string, output: string) {
    super(message)
    this.output = output
  }
}

/** What a build may depend on besides its sources: where programs, the home folder, the registry and a proxy are. */
const passedOn = /^(PATH|HOME|TMPDIR|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|npm_config_registry|(https?|no|all)_proxy)$/i

/**
 * Runs a program without a shell and resolves with its standard output. It gets an environment of its own, so that
 * the same sources give the same bytes whoever builds. Throws ToolFailure when it fails; an abort ends it and its children.
 */
export async function runTool(program: string, args: readonly string[], options: ToolRun): Promise<Buffer> {
  options.signal?.throwIfAborted()
  const inherited = Object.entries(shellEnvironment).filter(([name]) => passedOn.test(name))
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...Object.fromEntries(inherited), LC_ALL: 'C', TZ: 'UTC', CI: 'true', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const cancel = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, 'SIGKILL')
    }
  }
  options.signal?.addEventListener('abort', cancel, { once: true })
  const said: Buffer[] = []
  const answered: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    answered.push(chunk)
    said.push(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  try {
    const ended = await new Promise<string>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(signal ?? String(code)))
    })
    options.signal?.throwIfAborted()
    if (ended === '0') return Buffer.concat(answered)
    const output = Buffer.concat(said).toString()
    const end = output.trim().split('\n').slice(-20).join('\n')
    throw new ToolFailure(`${program} ${args.join(' ')} failed (${ended}):\n${end}`, output)
  } finally {
    options.signal?.removeEventListener('abort', cancel)
  }
}
