import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import type { Release } from '../../releases/release.ts'
import { type TestRecord, testRecordSchema } from './test-record.ts'

export type TestRun = { record: TestRecord; /** sha256 of the log. */ logHash: string }

/**
 * Runs all tests of an installed release in its folder with its own `./dam test`, its whole output into `logFile`. Throws when the
 * run says nothing that can be believed: no report, a report of another commit, or counts that differ from its closing line.
 */
export async function runTests(options: {
  /** Unpacked, verified, with all packages. */
  dir: string
  release: Release
  environment: Record<string, string>
  logFile: string
  timeoutMs: number
  say: (line: string) => void
}): Promise<TestRun> {
  const { dir, release } = options
  const scratch = mkdtempSync(path.join(tmpdir(), 'dam-test-run-'))
  const reportFile = path.join(scratch, 'report.json')
  try {
    const { tail, logHash, ended } = await runLogged(options, ['test', '--record', reportFile])
    if (ended !== null) throw new Error(`The tests did not end: ${ended}. Their output is in ${options.logFile}`)
    const record = readReport(reportFile, options.logFile)
    if (record.commit !== release.commit) {
      throw new Error(`The tests of ${dir} report commit ${record.commit.slice(0, 12)}, not that of ${release.tag}.`)
    }
    const closing = closingLine(tail)
    const counts = Object.values(record.parts)
    const passed = counts.reduce((sum, part) => sum + part.passed, 0)
    const failed = counts.reduce((sum, part) => sum + part.failed, 0)
    if (closing?.passed !== passed || closing.failed !== failed) {
      throw new Error(
        `The report counts ${passed} passed, ${failed} failed; the closing line says otherwise: ${options.logFile}`,
      )
    }
    return { record, logHash }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The last line of `./dam test`. */
export function closingLine(output: string): { passed: number; failed: number } | null {
  const found = /^(\d+) passed, (\d+) failed$/.exec(output.trimEnd().split('\n').at(-1) ?? '')
  return found ? { passed: Number(found[1]), failed: Number(found[2]) } : null
}

function readReport(file: string, logFile: string): TestRecord {
  try {
    return testRecordSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw new Error(`The tests left no report that can be read. Their output is in ${logFile}`, { cause: error })
  }
}

async function runLogged(
  options: {
    dir: string
    environment: Record<string, string>
    logFile: string
    timeoutMs: number
    say: (line: string) => void
  },
  args: readonly string[],
): Promise<{ tail: string; logHash: string; ended: string | null }> {
  const log = createWriteStream(options.logFile, { mode: 0o600 })
  const hash = createHash('sha256')
  const decoder = new StringDecoder('utf8')
  let tail = ''
  const child = spawn(path.join(options.dir, 'dam'), args, {
    cwd: options.dir,
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that running out of time ends the tests' processes too.
    detached: true,
  })
  const keep = (chunk: Buffer): void => {
    log.write(chunk)
    hash.update(chunk)
    const text = decoder.write(chunk)
    tail = (tail + text).slice(-20_000)
    for (const line of text.split('\n')) if (line.startsWith('== ')) options.say(line)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let ended: string | null = null
  const bound = setTimeout(() => {
    ended = `they took longer than ${Math.round(options.timeoutMs / 60_000)} minutes`
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, options.timeoutMs)
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        if (code === null && ended === null) ended = `ended by ${String(signal)}`
        resolve()
      })
    })
  } finally {
    clearTimeout(bound)
    log.end()
    await finished(log)
  }
  return { tail, logHash: hash.digest('hex'), ended }
}
