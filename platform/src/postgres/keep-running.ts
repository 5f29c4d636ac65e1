import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from '../process-identity.ts'
import { signal, stopPostmaster } from './postmaster.ts'
import { keepLogSmall } from './server-log.ts'
import { type Server, type ServerPlan, startServer } from './server.ts'
import type { EmbeddedPostgres } from './start.ts'

const watchEveryMs = 250
const restartDelaysMs = [0, 500, 2_000, 5_000, 10_000]
const calmMs = 60_000

/** Watches the server, starts it again when it dies, and stops it for good. */
export function keepRunning(options: {
  plan: ServerPlan
  server: Server
  onStopped: () => void
  facts: Pick<EmbeddedPostgres, 'connectionString' | 'version' | 'binDir' | 'adopted'>
}): EmbeddedPostgres {
  const { plan } = options
  let { identity } = options.server
  let stopping = false
  let restarting: Promise<void> | undefined
  let restarts = 0
  let startedAt = performance.now()

  const restart = async () => {
    if (performance.now() - startedAt > calmMs) restarts = 0
    while (!stopping) {
      const delayMs = restartDelaysMs[Math.min(restarts++, restartDelaysMs.length - 1)] ?? 0
      plan.log.warn(`the database server ended unexpectedly; starting it again${delayMs ? ` in ${delayMs} ms` : ''}`)
      await sleep(delayMs)
      if (stopping) return
      try {
        identity = (await startServer(plan)).identity
        startedAt = performance.now()
        plan.log.info(`the database is back (process ${identity.pid})`)
        return
      } catch (error) {
        plan.log.warn(error instanceof Error ? error.message : String(error))
      }
    }
  }

  const isRunning = () => processIdentity(identity.pid)?.startedAt === identity.startedAt
  const watch = setInterval(() => {
    if (stopping || restarting || isRunning()) return
    restarting = restart().finally(() => (restarting = undefined))
  }, watchEveryMs)
  const tidy = setInterval(() => keepLogSmall(plan.layout.logFile), 600_000)
  watch.unref()
  tidy.unref()

  let stopped: Promise<void> | undefined
  const stopOnce = async () => {
    stopping = true
    clearInterval(watch)
    clearInterval(tidy)
    await restarting
    const outcome = await stopPostmaster(identity, plan.layout.clusterDir)
    if (outcome !== 'fast')
      plan.log.warn('the database did not stop in time and was made to; it recovers at its next start')
    options.onStopped()
  }
  const stop: EmbeddedPostgres['stop'] = async ({ immediately = false } = {}) => {
    stopped ??= stopOnce()
    if (immediately && isRunning()) signal(identity.pid, 'SIGQUIT')
    await stopped
  }
  return {
    ...options.facts,
    get pid() {
      return identity.pid
    },
    stop,
    [Symbol.asyncDispose]: () => stop(),
  }
}
