import { constants, setPriority } from 'node:os'
import path from 'node:path'
import { createFront } from './front.ts'
import { readFrontSettings } from './front-settings.ts'
import { takeOver } from './handover.ts'
import { readPointerFile } from './pointer-file.ts'

const [runDir, host, portText, mode] = process.argv.slice(2)
const port = Number(portText)
if (!runDir || !path.isAbsolute(runDir) || !host || !Number.isInteger(port) || (mode ?? 'take-over') !== 'take-over') {
  console.error('Usage: node front-main.ts <run folder> <host> <port>   (the keeper of an environment starts it)')
  process.exit(2)
}
// `environments/<name>/run`; the pointer says the same once there is one.
const folderName = path.basename(path.dirname(runDir))
const environment = readPointerFile(runDir, folderName).pointer.environment
process.title = `dam: front ${environment}`

// Whoever reads our log may be gone.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)
const log = (message: string, fields: Record<string, unknown> = {}): void =>
  void process.stdout.write(
    `${JSON.stringify({ time: new Date().toISOString(), process: 'front', pid: process.pid, environment, message, ...fields })}\n`,
  )

let unexpectedErrors = 0
// One request's error must not cost the connections of all others.
process.on('uncaughtException', (error) => {
  unexpectedErrors++
  log('unexpected error', { error: error.stack ?? String(error) })
})
// A machine that conversions keep busy must still take requests, and take back a release. Needs root or CAP_SYS_NICE.
const hasPriority = raisePriority()
process.on('SIGHUP', () => undefined)

try {
  const settings = readFrontSettings(runDir)
  log('starting', { mode: mode ?? 'first', has_priority: hasPriority })
  const front = createFront({
    runDir,
    environment,
    settings,
    args: [runDir, host, String(port)],
    now: () => new Date(),
    log,
    unexpectedErrors: () => unexpectedErrors,
  })
  const stop = (why: string): void => {
    log('stopping', { why })
    void front.leave(settings.stopWithinMs).then(() => process.exit(0))
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  if (mode === 'take-over')
    await takeOver({
      restore: front.restore,
      serve: front.serve,
      ended: front.predecessorEnded,
      inFlight: front.predecessorInFlight,
    })
  else await front.serve({ host, port })
  void front.replaced.then(() => process.exit(0))
} catch (error) {
  log('cannot serve', { error: error instanceof Error ? error.message : String(error) })
  process.exitCode = 1
  setImmediate(() => process.exit(1))
}

function raisePriority(): boolean {
  try {
    setPriority(constants.priority.PRIORITY_ABOVE_NORMAL)
    return true
  } catch {
    return false
  }
}
