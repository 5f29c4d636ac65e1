import { Problem } from '@dam/contract'

export type UploadLock = AsyncDisposable & {
  /** Aborts when a newer request wants the upload; its reason is an `Interruption`. End soon and release. */
  readonly interrupted: AbortSignal
}

/** `append` and `cancel` make what is not committed yet worthless; after `look` and `stop` it is kept. */
export type Interruption = 'append' | 'cancel' | 'look' | 'stop'

const patienceMs = 3_000

type Holder = { controller: AbortController; released: Promise<void> }

/** One request at a time for each upload. A newer one asks the older to stop, because the older is often a connection that died unnoticed. */
export class UploadLocks {
  readonly #holders = new Map<string, Holder>()

  isHeld(id: string): boolean {
    return this.#holders.has(id)
  }

  /** Asks every request in progress to stop. */
  interruptAll(): void {
    for (const { controller } of this.#holders.values()) controller.abort('stop' satisfies Interruption)
  }

  /** Throws `upload-locked` when the holder does not let go within three seconds. */
  async take(id: string, purpose: Interruption): Promise<UploadLock> {
    const deadline = performance.now() + patienceMs
    for (let holder = this.#holders.get(id); holder; holder = this.#holders.get(id)) {
      holder.controller.abort(purpose)
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) throw lockedProblem()
      let timer: NodeJS.Timeout | undefined
      await Promise.race([holder.released, new Promise((resolve) => (timer = setTimeout(resolve, leftMs)))])
      clearTimeout(timer)
    }
    const controller = new AbortController()
    const { promise: released, resolve } = Promise.withResolvers<void>()
    this.#holders.set(id, { controller, released })
    return {
      interrupted: controller.signal,
      [Symbol.asyncDispose]: async () => {
        this.#holders.delete(id)
        resolve()
      },
    }
  }
}

export const lockedProblem = (): Problem =>
  new Problem(
    'upload-locked',
    'Another request for this upload is being worked on. Ask for its offset again in a few seconds.',
    { details: { retry_after: 2 } },
  )
