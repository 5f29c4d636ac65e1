import { spawn, type ChildProcess } from 'node:child_process'
import type { Server } from 'node:net'
import type { InFlightCounts } from './in-flight.ts'
import type { Outcome, OutcomeHandover } from './outcomes.ts'

/** From the process that leaves to the one that takes over. `socket` comes with the listening socket itself. */
export type ToSuccessor =
  | { kind: 'outcomes'; handover: OutcomeHandover }
  | { kind: 'socket' }
  /** What ended in the leaving process since the handover. */
  | { kind: 'ended'; outcomes: Outcome[] }
  | { kind: 'in-flight'; counts: InFlightCounts }

export type ToPredecessor = { kind: 'booted' } | { kind: 'serving' } | { kind: 'failed'; reason: string }

const bootWithinMs = 20_000

export type Successor = { pid: number; send(message: ToSuccessor): void; disconnect(): void }

/**
 * Starts the process that takes over and resolves once it serves. It accepts from the same kernel socket, so no connection that waits
 * there is lost. When it fails it is ended, and the caller goes on as before.
 */
export async function handOver(options: {
  program: string
  entry: string
  cwd: string
  args: readonly string[]
  server: Server
  outcomes: () => OutcomeHandover[]
  inFlight: () => InFlightCounts
}): Promise<Successor> {
  const child = spawn(options.program, [options.entry, ...options.args, 'take-over'], {
    cwd: options.cwd,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    await answerOf(child, 'booted')
    for (const handover of options.outcomes()) await sent(child, { kind: 'outcomes', handover })
    await sent(child, { kind: 'in-flight', counts: options.inFlight() })
    const serving = answerOf(child, 'serving')
    await Promise.all([serving, sent(child, { kind: 'socket' }, options.server)])
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  child.unref()
  return {
    pid: child.pid as number,
    send: (message) => {
      // One that has died meanwhile has nothing to be told.
      if (child.connected) child.send(message, () => undefined)
    },
    disconnect: () => {
      if (child.connected) child.disconnect()
    },
  }
}

const sent = (child: ChildProcess, message: ToSuccessor, server?: Server): Promise<void> =>
  new Promise((resolve, reject) => {
    child.send(message, server, (error) => (error ? reject(error) : resolve()))
  })

function answerOf(child: ChildProcess, kind: 'booted' | 'serving'): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (problem: string | null): void => {
      clearTimeout(timer)
      child.off('message', heard).off('exit', ended).off('error', failed)
      if (problem === null) resolve()
      else reject(new Error(`The new front process ${problem}; this one goes on serving. See the front's log.`))
    }
    const heard = (message: ToPredecessor): void => {
      if (message.kind === kind) settle(null)
      else if (message.kind === 'failed') settle(`cannot serve: ${message.reason}`)
    }
    const ended = (code: number | null, signal: string | null): void => settle(`ended at its start (${code ?? signal})`)
    const failed = (error: Error): void => settle(`could not be started: ${error.message}`)
    const timer = setTimeout(() => settle(`did not serve within ${bootWithinMs / 1000} s`), bootWithinMs)
    child.on('message', heard).on('exit', ended).on('error', failed)
  })
}

/** In the new process: takes over from the one that started it. */
export function takeOver(parts: {
  restore: (handover: OutcomeHandover) => void
  serve: (socket: Server) => Promise<void>
  ended: (outcomes: Outcome[]) => void
  inFlight: (counts: InFlightCounts) => void
}): Promise<void> {
  const tell = (message: ToPredecessor): void => void process.send?.(message)
  if (!process.send) throw new Error('take-over is only for a process that a front process started.')
  return new Promise((resolve, reject) => {
    process.on('message', (message: ToSuccessor, socket?: Server) => {
      if (message.kind === 'outcomes') parts.restore(message.handover)
      else if (message.kind === 'ended') parts.ended(message.outcomes)
      else if (message.kind === 'in-flight') parts.inFlight(message.counts)
      else if (!socket) reject(new Error('No socket came with the handover.'))
      else
        parts.serve(socket).then(
          () => {
            tell({ kind: 'serving' })
            resolve()
          },
          (error: unknown) => {
            tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) })
            reject(error instanceof Error ? error : new Error(String(error)))
          },
        )
    })
    process.once('disconnect', () => {
      parts.inFlight([])
      reject(new Error('The process that was to hand over is gone.'))
    })
    tell({ kind: 'booted' })
  })
}
