import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { controlSocketOf } from './control-server.ts'
import type { FrontStatus } from './front-api.ts'
import { createFrontClient, FrontUnreachable, type FrontClient } from './front-client.ts'

/** This release's own entry. */
export const frontEntry = fileURLToPath(new URL('./front-main.ts', import.meta.url))

const startWithinMs = 20_000
const logBytes = 8 * 1024 * 1024

export type StartedFront = { client: FrontClient; status: FrontStatus; wasRunning: boolean }

/**
 * The front process that answers on the control socket, whoever started it; else a new one, detached, that outlives its starter.
 * Throws with the end of its log when it does not serve.
 */
export async function startFront(options: {
  runDir: string
  host: string
  port: number
  /** Of the release whose front is to run; this one's unless said otherwise. */
  entry?: string
  cwd?: string
  program?: string
}): Promise<StartedFront> {
  const { runDir, host, port } = options
  mkdirSync(runDir, { recursive: true, mode: 0o700 })
  const client = createFrontClient(controlSocketOf(runDir))
  const running = await statusOf(client)
  if (running) return { client, status: running, wasRunning: true }

  const logFile = path.join(runDir, 'front.log')
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > logBytes) renameSync(logFile, `${logFile}.1`)
  const log = openSync(logFile, 'a', 0o600)
  const entry = options.entry ?? frontEntry
  const child = spawn(options.program ?? process.execPath, [entry, runDir, host, String(port)], {
    cwd: options.cwd ?? path.dirname(entry),
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  let ended: string | null = null
  child.once('exit', (code, signal) => (ended = `ended (${code ?? signal})`))
  child.once('error', (error) => (ended = `could not be started: ${error.message}`))
  child.unref()
  for (const until = performance.now() + startWithinMs; performance.now() < until && ended === null; await sleep(20)) {
    const status = await statusOf(client)
    if (status) return { client, status, wasRunning: false }
  }
  // Another starter may have been first.
  const served = ended === null ? null : await statusOf(client)
  if (served) return { client, status: served, wasRunning: true }
  if (ended === null && child.pid !== undefined) process.kill(child.pid, 'SIGKILL')
  throw new Error(
    `The front process ${ended ?? `did not serve within ${startWithinMs / 1000} s`}. End of ${logFile}:\n${endOf(logFile)}`,
  )
}

async function statusOf(client: FrontClient): Promise<FrontStatus | null> {
  try {
    return await client.status()
  } catch (error) {
    if (error instanceof FrontUnreachable) return null
    throw error
  }
}

const endOf = (file: string): string => readFileSync(file, 'utf8').split('\n').slice(-6).join('\n').trim()
