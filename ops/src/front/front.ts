import { once } from 'node:events'
import { Server as NetServer } from 'node:net'
import type { Server } from 'node:http'
import path from 'node:path'
import { followUnusedConnections } from '@dam/platform/http/unused-connections'
import { ControlRefusal, controlSocketOf, openControlServer, type ControlHandlers } from './control-server.ts'
import { usualDrainBounds, type DrainBounds, type FrontStatus, type Pointer } from './front-api.ts'
import type { FrontSettings } from './front-settings.ts'
import { handOver, type Successor } from './handover.ts'
import { createInFlight, drainSlot, type InFlightCounts } from './in-flight.ts'
import { createOutcomeCounts, type Outcome, type OutcomeHandover } from './outcomes.ts'
import { readPointerFile, writePointerFile } from './pointer-file.ts'
import { parsePointer } from './pointer.ts'
import { createPublicServer } from './public-server.ts'
import { createRepeats } from './repeats.ts'
import { syntheticCheck } from './synthetic-secret.ts'
import { createUpstreamConnections } from './upstream-connections.ts'

export type FrontOptions = {
  runDir: string
  environment: string
  settings: FrontSettings
  /** What a process that takes over is started with, after its entry. */
  args: readonly string[]
  now: () => Date
  log: (message: string, fields?: Record<string, unknown>) => void
  unexpectedErrors: () => number
}

export type Front = {
  /** Listens at that address, or at the socket that was handed over, and then on the control socket. */
  serve(at: { host: string; port: number } | NetServer): Promise<void>
  address(): ReturnType<Server['address']>
  /** Accepts no more; resolves when everything under way has ended, at the latest after the bound. */
  leave(withinMs: number): Promise<void>
  /** Resolves when this process was replaced and has ended all it had. */
  replaced: Promise<void>
  restore(handover: OutcomeHandover): void
  /** What a replaced process reports. */
  predecessorEnded(outcomes: Outcome[]): void
  predecessorInFlight(counts: InFlightCounts): void
}

const lastWordsMs = 1_000

export function createFront(options: FrontOptions): Front {
  const { runDir, environment, settings, now, log } = options
  const startedAt = now()
  let { pointer, problem } = readPointerFile(runDir, environment)
  const inFlight = createInFlight()
  const counts = createOutcomeCounts(startedAt.getTime() * 1000)
  const connections = createUpstreamConnections()
  const predecessor = {}
  let state: 'serving' | 'replacing' | 'leaving' = 'serving'
  let control: Server | null = null
  let successor: Successor | null = null
  // Since the counts were handed over.
  let endedSince: Outcome[] | null = null
  const controlClosed = Promise.withResolvers<void>()
  const replaced = Promise.withResolvers<void>()

  const add = (outcome: Outcome): void => {
    counts.add(outcome)
    endedSince?.push(outcome)
  }
  const server = createPublicServer({
    settings,
    // Another process may have written it since.
    pointer: () => (state === 'leaving' ? readPointerFile(runDir, environment).pointer : pointer),
    pointerProblem: () => problem,
    inFlight,
    outcomes: { add },
    connections,
    repeats: createRepeats(),
    isSynthetic: syntheticCheck(runDir),
    isLeaving: () => state === 'leaving',
    now,
  })
  let open = 0
  server.on('connection', (socket) => {
    open++
    socket.once('close', () => open--)
  })
  const endUnusedConnections = followUnusedConnections(server)

  const status = (): FrontStatus => ({
    pid: process.pid,
    startedAt: startedAt.toISOString(),
    pointer,
    pointerProblem: problem,
    connections: open,
    unexpectedErrors: options.unexpectedErrors(),
    inFlight: inFlight.counts(),
  })

  // One change after the other: the file, then the switch.
  let changes: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = changes.then(work)
    changes = result.catch(() => undefined)
    return result
  }
  const demandServing = (): void => {
    if (state !== 'serving')
      throw new ControlRefusal(503, 'This front process is being replaced. Ask again; the new one answers in a moment.')
  }

  const switchTo = async (next: Pointer): Promise<FrontStatus> => {
    demandServing()
    if (next.fencingToken < pointer.fencingToken)
      throw new ControlRefusal(
        409,
        `A newer deployment has the pointer: its token is ${pointer.fencingToken}, yours ${next.fencingToken}. Nothing was changed.`,
        { newestToken: pointer.fencingToken },
      )
    if (next.environment !== environment)
      throw new ControlRefusal(409, `This front serves ${environment}, not ${next.environment}. Nothing was changed.`)
    await writePointerFile(runDir, next)
    const before = pointer.active
    pointer = next
    problem = null
    connections.keepOnly(new Set([next.active?.slot ?? '', next.control?.upstream.slot ?? '']))
    if (before?.slot !== next.active?.slot)
      log('pointer switched', { from: before?.tag ?? null, to: next.active?.tag ?? null, token: next.fencingToken })
    return status()
  }

  const replaceBy = async (body: unknown): Promise<{ pid: number }> => {
    demandServing()
    const { entry, cwd, program } = replacementOf(body)
    state = 'replacing'
    try {
      successor = await handOver({
        program,
        entry,
        cwd,
        args: options.args,
        server,
        outcomes: () => {
          endedSince = []
          return counts.handover()
        },
        inFlight: inFlight.counts,
      })
    } catch (error) {
      state = 'serving'
      endedSince = null
      throw new ControlRefusal(502, error instanceof Error ? error.message : String(error))
    }
    log('replaced', { by: successor.pid })
    void front.leave(settings.replacedWithinMs).then(replaced.resolve)
    return { pid: successor.pid }
  }

  const drain = (body: unknown) => {
    const { slot, boundsMs } = (body ?? {}) as { slot?: unknown; boundsMs?: Partial<DrainBounds> }
    if (typeof slot !== 'string') throw new ControlRefusal(400, 'Say which slot to drain: {"slot": "..."}.')
    const isRouted = [pointer.active?.slot, pointer.control?.upstream.slot].includes(slot)
    if (isRouted)
      throw new ControlRefusal(409, `Slot ${slot} still gets requests. Switch the pointer away from it first.`)
    return drainSlot(inFlight, slot, { ...usualDrainBounds, ...boundsMs })
  }

  const handlers: ControlHandlers = {
    'GET /status': () => status(),
    'PUT /pointer': (body) => {
      const next = parsedPointer(body)
      return inTurn(() => switchTo(next))
    },
    'POST /drain': drain,
    'POST /replace': (body) => inTurn(() => replaceBy(body)),
    'GET /outcomes': (_, query) => counts.since(Number(query.get('after') ?? 0), Number(query.get('from') ?? 0)),
  }

  let reported = ''
  const report = (): void => {
    if (!successor || !endedSince) return
    if (endedSince.length > 0) successor.send({ kind: 'ended', outcomes: endedSince.splice(0) })
    const found = inFlight.counts()
    if (JSON.stringify(found) === reported) return
    reported = JSON.stringify(found)
    successor.send({ kind: 'in-flight', counts: found })
  }

  const front: Front = {
    serve: async (at) => {
      if (at instanceof NetServer) {
        // What was switched between our start and now is in the file.
        ;({ pointer, problem } = readPointerFile(runDir, environment))
        server.listen(at)
      } else server.listen({ ...at, backlog: 1024 })
      await once(server, 'listening')
      control = await openControlServer(controlSocketOf(runDir), handlers)
      log('serving', { address: server.address(), active: pointer.active?.tag ?? null, pointer_problem: problem })
    },
    address: () => server.address(),
    leave: async (withinMs) => {
      const isFirst = state !== 'leaving'
      state = 'leaving'
      const leftAt = performance.now()
      if (isFirst && server.listening) {
        // Not the close of an HTTP server: that one also ends idle connections, on which a request may be on its way.
        NetServer.prototype.close.call(server)
        control?.close(() => controlClosed.resolve())
      }
      const isBusy = (): boolean => open > 0 || inFlight.total() > 0
      while (isBusy() && performance.now() - leftAt < withinMs) {
        inFlight.endStreams(null)
        // Without a successor nobody answers what comes on an idle connection later.
        if (!successor && inFlight.total() === 0) {
          server.closeIdleConnections()
          endUnusedConnections()
        }
        report()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      report()
      successor?.disconnect()
      server.closeAllConnections()
      // Whoever waits for a drain is told.
      await Promise.race([controlClosed.promise, new Promise((resolve) => setTimeout(resolve, lastWordsMs))])
    },
    replaced: replaced.promise,
    restore: counts.restore,
    predecessorEnded: (outcomes) => {
      for (const outcome of outcomes) add(outcome)
    },
    predecessorInFlight: (found) => inFlight.reported(predecessor, found),
  }
  return front
}

function parsedPointer(body: unknown): Pointer {
  const value = typeof body === 'object' && body !== null && 'pointer' in body ? body.pointer : undefined
  try {
    return parsePointer(value)
  } catch (error) {
    throw new ControlRefusal(400, `This is not a pointer: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

function replacementOf(body: unknown): { entry: string; cwd: string; program: string } {
  const { entry, cwd, program } = (body ?? {}) as { entry?: unknown; cwd?: unknown; program?: unknown }
  if (typeof entry !== 'string' || !path.isAbsolute(entry) || path.basename(entry) !== 'front-main.ts')
    throw new ControlRefusal(400, 'entry must be the absolute path of a front-main.ts.')
  if (typeof cwd !== 'string' || !path.isAbsolute(cwd)) throw new ControlRefusal(400, 'cwd must be an absolute path.')
  if (program !== undefined && (typeof program !== 'string' || !path.isAbsolute(program)))
    throw new ControlRefusal(400, 'program must be the absolute path of a Node.js, or be left out.')
  return { entry, cwd, program: program ?? process.execPath }
}
