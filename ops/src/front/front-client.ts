import { request as requestOf } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DrainBounds, DrainResult, FrontStatus, Outcomes, Pointer } from './front-api.ts'
import { usualDrainBounds } from './front-api.ts'

/** Nobody answers on the control socket. */
export class FrontUnreachable extends Error {
  /** Somebody was there and closed the connection without an answer. */
  readonly wasCut: boolean
  constructor(socketPath: string, cause: Error) {
    super(
      `The front process does not answer at ${socketPath} (${cause.message}). The keeper starts it again; see ./dam host status.`,
      { cause },
    )
    this.name = 'FrontUnreachable'
    this.wasCut = 'code' in cause && (cause.code === 'ECONNRESET' || cause.code === 'EPIPE')
  }
}

/** The front said no; nothing was changed. */
export class FrontRefusal extends Error {
  readonly status: number
  /** Where a newer deployment has the pointer: its fencing token. */
  readonly newestToken: number | null
  constructor(status: number, message: string, newestToken: number | null) {
    super(message)
    this.name = 'FrontRefusal'
    this.status = status
    this.newestToken = newestToken
  }
}

export type FrontClient = {
  status(): Promise<FrontStatus>
  /** Resolves when the pointer is on the disk and every later request follows it. */
  switchTo(pointer: Pointer): Promise<FrontStatus>
  /** Resolves when the slot is empty or the bounds are over. */
  drain(slot: string, boundsMs?: Partial<DrainBounds>): Promise<DrainResult>
  /** Lets the front of that release (absolute path of its front-main.ts) take over; resolves when it serves. */
  replace(by: { entry: string; cwd: string; program?: string }): Promise<{ pid: number }>
  /** What changed after `after`; 0 gives everything kept. `fromSecond` leaves out older seconds. */
  outcomes(after: number, fromSecond?: number): Promise<Outcomes>
}

const usualTimeoutMs = 5_000

const patienceMs = 30_000

/**
 * Speaks with the front process over `run/front.sock`. A call that meets a front that is just being replaced is made again with its
 * successor; a front that is not there is an error at once.
 */
export function createFrontClient(socketPath: string): FrontClient {
  const ask = async <T>(method: string, path: string, body?: unknown, timeoutMs?: number): Promise<T> => {
    for (const until = performance.now() + patienceMs; ; await sleep(100)) {
      try {
        return await askOnce<T>(method, path, body, timeoutMs)
      } catch (error) {
        const isBeingReplaced =
          (error instanceof FrontRefusal && error.status === 503) ||
          // Its socket was closed after it had taken our connection; all calls but `replace` may be made twice.
          (error instanceof FrontUnreachable && error.wasCut && path !== '/replace')
        if (!isBeingReplaced || performance.now() > until) throw error
      }
    }
  }
  const askOnce = <T>(method: string, path: string, body?: unknown, timeoutMs = usualTimeoutMs): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      const outgoing = requestOf(
        {
          socketPath,
          method,
          path,
          agent: false,
          headers: { host: 'front', 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        },
        (answer) => {
          let received = ''
          answer.setEncoding('utf8')
          answer.on('data', (part: string) => (received += part))
          answer.on('error', (error) => fail(error))
          answer.on('end', () => {
            clearTimeout(timer)
            try {
              const value = JSON.parse(received) as unknown
              if (answer.statusCode === 200) resolve(value as T)
              else reject(refusalOf(answer.statusCode ?? 0, value))
            } catch (error) {
              reject(new FrontUnreachable(socketPath, error instanceof Error ? error : new Error(String(error))))
            }
          })
        },
      )
      const fail = (error: Error): void => {
        clearTimeout(timer)
        reject(new FrontUnreachable(socketPath, error))
      }
      const timer = setTimeout(
        () => outgoing.destroy(new Error(`no answer to ${method} ${path} within ${timeoutMs / 1000} s`)),
        timeoutMs,
      )
      outgoing.on('error', fail)
      outgoing.end(text)
    })
  return {
    status: () => ask('GET', '/status'),
    switchTo: (pointer) => ask('PUT', '/pointer', { pointer }),
    drain: (slot, boundsMs = {}) => {
      const longestMs = Math.max(...Object.values({ ...usualDrainBounds, ...boundsMs }))
      return ask('POST', '/drain', { slot, boundsMs }, longestMs + usualTimeoutMs)
    },
    replace: (by) => ask('POST', '/replace', by, 45_000),
    outcomes: (after, fromSecond = 0) => ask('GET', `/outcomes?after=${after}&from=${fromSecond}`),
  }
}

function refusalOf(status: number, value: unknown): FrontRefusal {
  const { error, newestToken } = (value ?? {}) as { error?: unknown; newestToken?: unknown }
  return new FrontRefusal(
    status,
    typeof error === 'string' ? error : `The front answered ${status}.`,
    typeof newestToken === 'number' ? newestToken : null,
  )
}
