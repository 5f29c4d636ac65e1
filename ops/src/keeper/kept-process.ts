import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import type { ProcessObservation } from '../deployments/deployment.ts'
import { forgetProcess, livingProcess, notingItself } from './process-file.ts'
import { openProcessLog } from './process-log.ts'
import { residentBytes } from './resident-bytes.ts'

export type KeptPlan = {
  /** Such as `production-7 web`. */
  name: string
  command: string
  args: string[]
  cwd: string
  /** Asked at every start. */
  env: () => Record<string, string>
  /** `NAME=value` of `env` that no other process has. */
  mark: string
  pidFile: string
  logFile: string
  /** SIGKILL follows SIGTERM after this long. */
  stopBoundMs: number
  /** Above it for `memoryPatienceMs` the process is ended, which counts as a crash; null: no bound. */
  memoryBoundBytes: number | null
  memoryPatienceMs: number
  /** Whether it has come up: asked again and again until it has. */
  isUp: (upForMs: number) => Promise<boolean>
  say: (message: string) => void
}

/** A process that outlives us and is looked after while we live. */
export type KeptProcess = {
  readonly observation: ProcessObservation
  /** Makes it so, one step at a time; call it every tick. */
  reconcile(desired: 'running' | 'stopped', now: Date): void
}

const delaysMs = [200, 1_000, 2_000, 5_000, 10_000, 30_000]
// One that had come up serves people again when it is back; it is never kept from them for long.
const delaysOnceUpMs = [200, 500, 1_000]
const calmMs = 60_000

export function keepProcess(plan: KeptPlan, before: ProcessObservation | undefined): KeptProcess {
  const observation: ProcessObservation = {
    state: 'stopped',
    pid: null,
    crashes: before?.crashes ?? 0,
    crashedAt: before?.crashedAt ?? [],
    lastExit: before?.lastExit ?? null,
    rssBytes: 0,
  }
  let current: { pid: number; startedAt: string } | null = null
  // Set while the process is a child of ours, which tells us how it ended.
  let child: ChildProcess | null = null
  let exit: string | null = null
  let isFirstLook = true
  let cameUp = before?.state === 'running'
  let isAsking = false
  let startedAtMs = 0
  let failures = 0
  let notBeforeMs = 0
  let termAtMs: number | null = null
  let overSinceMs: number | null = null

  const start = (nowMs: number): void => {
    forgetProcess(plan.pidFile)
    const log = openProcessLog(plan.logFile)
    const { command, args } = notingItself(plan.pidFile, plan.command, plan.args)
    exit = null
    try {
      writeSync(log, `--- ${new Date(nowMs).toISOString()} ${plan.name} starts\n`)
      const started = spawn(command, args, {
        cwd: plan.cwd,
        env: plan.env(),
        detached: true,
        stdio: ['ignore', log, log],
      })
      const ending = (how: string): void => {
        if (child === started) exit ??= how
      }
      started.once('error', (error) => ending(error.message))
      started.once('exit', (code, signal) => ending(signal ?? `code ${code}`))
      started.unref()
      child = started
    } finally {
      closeSync(log)
    }
    cameUp = false
    startedAtMs = nowMs
    observation.state = 'starting'
    observation.pid = null
  }

  const ended = (desired: 'running' | 'stopped', nowMs: number): void => {
    const how = exit ?? 'ended while nobody watched'
    const wasAsked = termAtMs !== null
    current = child = exit = termAtMs = overSinceMs = null
    forgetProcess(plan.pidFile)
    Object.assign(observation, { pid: null, rssBytes: 0, lastExit: how, state: 'stopped' })
    if (wasAsked) return
    observation.crashes++
    observation.crashedAt = [...observation.crashedAt, new Date(nowMs).toISOString()].slice(-10)
    if (nowMs - startedAtMs > calmMs) failures = 0
    const delays = cameUp ? delaysOnceUpMs : delaysMs
    const delayMs = delays[Math.min(failures++, delays.length - 1)] ?? 0
    notBeforeMs = nowMs + delayMs
    if (desired === 'running') observation.state = 'waiting'
    plan.say(
      `${plan.name} ended unexpectedly (${how})${desired === 'running' ? `; starting it again in ${delayMs / 1_000} s` : ''}`,
    )
  }

  const signalled = (name: NodeJS.Signals): void => {
    try {
      if (current) process.kill(current.pid, name)
    } catch {
      // It ended in this moment; the next look sees it.
    }
  }

  const see = (living: { pid: number; startedAt: string }, nowMs: number): void => {
    startedAtMs ||= nowMs
    if (child && child.pid !== living.pid) child = exit = null
    current = living
    observation.pid = living.pid
    observation.rssBytes = residentBytes(living.pid)
    observation.state = cameUp ? 'running' : 'starting'
    if (cameUp || isAsking) return
    isAsking = true
    const answered = (isUp: boolean): void => {
      isAsking = false
      if (isUp && current?.startedAt === living.startedAt) cameUp = true
    }
    plan.isUp(nowMs - startedAtMs).then(answered, () => answered(false))
  }

  const watchMemory = (nowMs: number): void => {
    const bound = plan.memoryBoundBytes
    if (bound === null || observation.rssBytes <= bound) {
      overSinceMs = null
      return
    }
    overSinceMs ??= nowMs
    if (nowMs - overSinceMs < plan.memoryPatienceMs) return
    plan.say(`${plan.name} holds ${Math.round(observation.rssBytes / 1024 ** 2)} MiB, over its bound, and is ended`)
    exit = 'memory over its bound'
    signalled('SIGKILL')
  }

  const stop = (nowMs: number): void => {
    if (termAtMs === null) {
      termAtMs = nowMs
      signalled('SIGTERM')
    } else if (nowMs - termAtMs > plan.stopBoundMs) {
      plan.say(`${plan.name} did not stop within ${plan.stopBoundMs / 1_000} s and is ended`)
      signalled('SIGKILL')
    }
  }

  return {
    observation,
    reconcile: (desired, now) => {
      const nowMs = now.getTime()
      const living = livingProcess(plan.pidFile, plan.mark)
      if (living) see(living, nowMs)
      const ranUnwatched = isFirstLook && before !== undefined && before.pid !== null && desired === 'running'
      // What a keeper killed a moment ago has started may not have noted its number yet.
      if (isFirstLook && before !== undefined) notBeforeMs = nowMs + 500
      isFirstLook = false
      if (!living) {
        const isOver = child ? exit !== null : current !== null || ranUnwatched
        if (isOver) ended(desired, nowMs)
        else if (child === null) observation.state = desired === 'running' ? 'waiting' : 'stopped'
        if (child === null && desired === 'running' && nowMs >= notBeforeMs) start(nowMs)
      } else if (desired === 'stopped' || termAtMs !== null) stop(nowMs)
      else watchMemory(nowMs)
    },
  }
}
