import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export type KeptChild = AsyncDisposable & {
  readonly name: string
  /** How often in a row it ended before it came up. */
  readonly failures: number
  /** Whether the process that runs now has said that it is up. */
  readonly isUp: boolean
  /** Ends it and does not start it again: SIGTERM (or `signal`), and SIGKILL for one that takes longer than its bound. */
  stop(signal?: NodeJS.Signals): Promise<void>
  kill(): void
  /** Ends one that hangs, with SIGKILL; it is started again. */
  replace(): void
}

export type ChildPlan = {
  /** As people know it: `web`, `worker`. */
  name: string
  command: string
  args: string[]
  cwd: string
  env: Record<string, string | undefined>
  /** Whether its log lines go to our standard output; they are in app.log in any case. */
  showLog: boolean
  stopBoundMs: number
  say: (message: string) => void
}

const delaysMs = [200, 1_000, 2_000, 5_000, 10_000, 30_000]
// One that had come up serves people again when it is back; it is never kept from them for long.
const delaysOnceUpMs = [200, 500, 1_000]
const calmMs = 60_000

/**
 * Starts a child process and starts it again, later and later, whenever it ends by itself. It says 'ready' when it is up.
 * The channel between us is its sign of life: when we are killed it closes, and the child ends.
 */
export function keepChild(plan: ChildPlan): KeptChild {
  let stopping = false
  let failures = 0
  let restarts = 0
  let startedAt = 0
  let cameUp = false
  let child: ChildProcess
  let ended: Promise<void>
  const cancelDelay = new AbortController()

  const start = () => {
    startedAt = performance.now()
    cameUp = false
    // In a session of its own: Ctrl-C in the terminal must reach us only, we stop things in order.
    child = spawn(plan.command, plan.args, {
      cwd: plan.cwd,
      env: plan.env,
      detached: true,
      stdio: ['ignore', plan.showLog ? 'inherit' : 'ignore', 'inherit', 'ipc'],
    })
    const current = child
    current.once('message', (message) => {
      if (message !== 'ready') return
      cameUp = true
      failures = 0
    })
    ended = new Promise((resolve) => {
      current.once('error', (error) => {
        plan.say(`${plan.name} cannot be started: ${error.message}`)
        if (current.pid === undefined) resolve()
      })
      current.once('exit', (code, signal) => {
        resolve()
        if (!stopping) void again(signal ?? `code ${code}`)
      })
    })
  }

  const again = async (how: string) => {
    if (performance.now() - startedAt > calmMs) failures = restarts = 0
    const [delays, times] = cameUp ? [delaysOnceUpMs, restarts++] : [delaysMs, failures++]
    const delayMs = delays[Math.min(times, delays.length - 1)] ?? 0
    plan.say(
      `${plan.name} ended unexpectedly (${how}); starting it again${delayMs < 1_000 ? '' : ` in ${delayMs / 1_000} s`}`,
    )
    await sleep(delayMs, undefined, { signal: cancelDelay.signal }).catch(() => undefined)
    if (!stopping) start()
  }

  start()

  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    stopping = true
    cancelDelay.abort()
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    child.kill(signal)
    const bound = setTimeout(() => {
      plan.say(`${plan.name} did not stop within ${plan.stopBoundMs / 1_000} s and is ended`)
      child.kill('SIGKILL')
    }, plan.stopBoundMs)
    await ended
    clearTimeout(bound)
  }

  return {
    name: plan.name,
    get failures() {
      return failures
    },
    get isUp() {
      return cameUp && child.exitCode === null && child.signalCode === null
    },
    stop,
    kill: () => {
      stopping = true
      cancelDelay.abort()
      child.kill('SIGKILL')
    },
    replace: () => {
      plan.say(`${plan.name} hangs and is replaced`)
      child.kill('SIGKILL')
    },
    [Symbol.asyncDispose]: () => stop(),
  }
}
