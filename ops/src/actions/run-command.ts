import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import path from 'node:path'
import { Problem } from '@dam/contract'
import type { ActionView, CommandAnswer } from '@dam/contract/ops-types'
import { processIdentity } from '@dam/platform/process-identity'
import { recordAudit } from '../audit/audit.ts'
import type { Store } from '../store.ts'
import { endAction, insertAction, nameProcess, openActions, type Action } from './action-store.ts'

/** Where `./dam` is and what its children see. */
export type CommandPlace = {
  /** `command/src/main.ts` of this checkout. */
  program: string
  cwd: string
  environment: Record<string, string | undefined>
  /** Folder for what actions print. */
  outputs: string
}

export type CommandRunner = {
  /** Starts a command that outlives the browser and this process; gives the id of its action. */
  start(input: { kind: string; subject: string; args: string[]; who: string; now: Date }): number
  /** Runs a command that only reads, and waits for its JSON. */
  ask(args: string[], boundMs?: number): Promise<CommandAnswer>
  /** Runs a command to its end; it is asked to stop when `signal` aborts. */
  finish(args: string[], signal: AbortSignal): Promise<{ exitCode: number | null; output: string }>
}

const mostAsked = 3

export function openCommandRunner(store: Store, place: CommandPlace): CommandRunner {
  let asked = 0
  const begin = (
    args: string[],
    stdio: ['ignore', number | 'pipe', number | 'pipe'],
    detached: boolean,
  ): ChildProcess =>
    spawn(process.execPath, [place.program, ...args], { cwd: place.cwd, env: place.environment, stdio, detached })
  return {
    start: ({ kind, subject, args, who, now }) => {
      mkdirSync(place.outputs, { recursive: true, mode: 0o700 })
      const outputFile = path.join(place.outputs, `${now.toISOString().replaceAll(':', '')}-${kind}.txt`)
      const command = `./dam ${args.join(' ')}`
      const id = store.transaction(() => {
        recordAudit(store, { who, action: `action.${kind}`, subject, detail: { command }, now })
        return insertAction(store, { kind, subject, command, startedBy: who, outputFile, now })
      })
      const output = openSync(outputFile, 'a', 0o600)
      const child = begin(args, ['ignore', output, output], true)
      closeSync(output)
      child.once('error', () => endAction(store, id, 127, new Date()))
      child.once('exit', (code, signal) => endAction(store, id, code ?? (signal ? 128 : null), new Date()))
      const identity = child.pid === undefined ? null : processIdentity(child.pid)
      if (identity) nameProcess(store, id, identity)
      child.unref()
      return id
    },
    finish: async (args, signal) => {
      const child = begin(args, ['ignore', 'pipe', 'pipe'], false)
      const stop = (): void => void child.kill('SIGINT')
      signal.addEventListener('abort', stop, { once: true })
      let output = ''
      const read = (chunk: Buffer): void => void (output = (output + chunk.toString()).slice(-shownBytes))
      child.stdout?.on('data', read)
      child.stderr?.on('data', read)
      try {
        const exitCode = await new Promise<number | null>((resolve, reject) => {
          child.once('error', reject)
          child.once('close', resolve)
        })
        return { exitCode, output }
      } finally {
        signal.removeEventListener('abort', stop)
      }
    },
    ask: async (args, boundMs = 120_000) => {
      if (asked >= mostAsked)
        throw new Problem('not-possible-now', 'Several plans are being made already. Try again in a moment.')
      asked += 1
      try {
        return await answerOf(begin(args, ['ignore', 'pipe', 'pipe'], false), boundMs)
      } finally {
        asked -= 1
      }
    },
  }
}

const mostBytes = 2 * 1024 * 1024

async function answerOf(child: ChildProcess, boundMs: number): Promise<CommandAnswer> {
  let output = ''
  let errors = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    if (output.length < mostBytes) output += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    if (errors.length < mostBytes) errors += chunk.toString()
  })
  const bound = setTimeout(() => child.kill('SIGKILL'), boundMs)
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  clearTimeout(bound)
  const answer = lastJson(output)
  const said = `${errors}${answer === undefined ? output : ''}`.trim()
  return { ok: exitCode === 0, exitCode, answer: answer ?? null, output: said }
}

/** The document a command with `--json` printed, whole or as its last line. */
function lastJson(text: string): unknown {
  for (const candidate of [text, text.trim().split('\n').at(-1) ?? '']) {
    try {
      return JSON.parse(candidate) as unknown
    } catch {
      // Not this one.
    }
  }
  return undefined
}

/** Ends the rows of actions whose process is gone without this process having seen it end. */
export function settleActions(store: Store, now: Date): void {
  for (const action of openActions(store)) if (!isRunning(action, now)) endAction(store, action.id, null, now)
}

const isRunning = ({ process: known, startedAt }: Action, now: Date): boolean =>
  known === null
    ? now.getTime() - Date.parse(startedAt) < 10_000
    : processIdentity(known.pid)?.startedAt === known.startedAt

const shownBytes = 16 * 1024

export function presentAction(action: Action): ActionView {
  const state =
    action.endedAt === null
      ? 'running'
      : action.exitCode === null
        ? 'unknown'
        : action.exitCode === 0
          ? 'done'
          : 'failed'
  const { process: _, outputFile, ...rest } = action
  return { ...rest, state, output: endOf(outputFile) }
}

function endOf(file: string): string {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(fd)
    const bytes = Buffer.alloc(Math.min(size, shownBytes))
    readSync(fd, bytes, 0, bytes.length, size - bytes.length)
    return bytes.toString()
  } finally {
    closeSync(fd)
  }
}
