// npm passes the terminal's Ctrl-C on to a program that the terminal has told already: one press can arrive twice.
const samePressMs = 700

export type Interruption = {
  /** Aborts when we are asked to stop. */
  signal: AbortSignal
  /** Resolves when we are asked to stop. */
  asked: Promise<NodeJS.Signals>
}

/** Turns SIGINT, SIGTERM and SIGHUP into one request to stop; a second, later one calls `force`. */
export function listenForInterruption(force: () => void): Interruption {
  const controller = new AbortController()
  let askedAt: number | undefined
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (askedAt === undefined) {
          askedAt = performance.now()
          controller.abort(new InterruptedError())
          resolve(name)
        } else if (performance.now() - askedAt > samePressMs) force()
      })
    }
  })
  return { signal: controller.signal, asked }
}

/** Start-up was given up because we were asked to stop. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
}
