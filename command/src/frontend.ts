import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LockHeldError, takeExclusiveLock } from '@dam/platform/exclusive-lock'
import { root, shellEnvironment } from './config.ts'
import { CommandFailure } from './failure.ts'
import { pnpmProgram, toolPath } from './toolchain.ts'

const frontend = path.join(root, 'frontend')
const dist = path.join(frontend, 'dist')
const distConsole = path.join(frontend, 'dist-console')
const stamp = path.join(dist, '.sources')

/**
 * Builds the web application and the operations console unless the build at hand was made from exactly these sources. The stamp is written last,
 * so a build that was cut short is done again; two processes never build at once.
 */
export async function buildFrontend(options: {
  force: boolean
  say: (message: string) => void
  signal?: AbortSignal
}): Promise<void> {
  const isCurrent = () =>
    [dist, distConsole].every((folder) => existsSync(path.join(folder, 'index.html'))) &&
    readText(stamp) === fingerprint()
  if (!options.force && isCurrent()) return
  const lock = await takeTurn()
  try {
    if (!options.force && isCurrent()) return
    options.say('building the web application')
    const sources = fingerprint()
    await runBuild(options.signal)
    writeFileSync(stamp, sources)
  } finally {
    lock.release()
  }
}

/** Of everything the build reads. */
export function fingerprint(): string {
  const hash = createHash('sha256')
  const add = (file: string): void => {
    hash.update(`${path.relative(root, file)}\0`)
    hash.update(readFileSync(file))
  }
  const walk = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = path.join(dir, entry.name)
      if (entry.isDirectory()) {
        if (!ignored.has(entry.name)) walk(file)
      } else if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name)) add(file)
    }
  }
  walk(frontend)
  walk(path.join(root, 'contract/src'))
  add(path.join(root, 'pnpm-lock.yaml'))
  return hash.digest('hex')
}

const ignored = new Set(['node_modules', 'dist', 'dist-console', 'coverage', 'test-results'])

async function takeTurn() {
  const file = path.join(root, 'node_modules/.frontend-build.lock')
  for (;;) {
    try {
      return takeExclusiveLock(file, {})
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error
      await sleep(200)
    }
  }
}

async function runBuild(signal: AbortSignal | undefined): Promise<void> {
  const child = spawn(pnpmProgram, ['--filter', '@dam/frontend', 'run', 'build'], {
    cwd: root,
    env: { ...shellEnvironment, PATH: toolPath(shellEnvironment['PATH']) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that all of the build can be ended.
    detached: true,
  })
  const cancel = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }
  signal?.addEventListener('abort', cancel, { once: true })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  signal?.removeEventListener('abort', cancel)
  signal?.throwIfAborted()
  if (code !== 0) {
    throw new CommandFailure(`Building the web application failed:\n${output.trim().split('\n').slice(-25).join('\n')}`)
  }
}

const readText = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
