import { Problem } from '@dam/contract'
import { sql, type Database } from '@dam/platform/database'
import { hasDied, holderIdentity } from './holder-identity.ts'
import { releaseHold, renewHolds, takeHold } from './upload-hold-store.ts'
import type { UploadRow } from './upload-store.ts'

export type UploadLock = AsyncDisposable & {
  /** Aborts when a newer request wants the upload; its reason is an `Interruption`. End soon and release. */
  readonly interrupted: AbortSignal
  /** The upload as it was when this request got it. Undefined when it has no row. */
  readonly row: UploadRow | undefined
  /** The row was inserted as held by this process. */
  adopt(row: UploadRow): void
}

/** `append` and `cancel` make what is not committed yet worthless; after `look` and `stop` it is kept. */
export type Interruption = 'append' | 'cancel' | 'look' | 'stop'

const patienceMs = 3_000
const renewEveryMs = 700
const channel = 'dam_upload'

/** `row` is set where other processes see in the row that it is held. */
type Holder = {
  controller: AbortController
  released: Promise<void>
  release: () => void
  row: UploadRow | undefined
}

/**
 * One request at a time for each upload, in all processes together. A newer one asks the older to stop, because the older is often a
 * connection that died unnoticed. Within the process a map says who holds what; between processes the row of the upload does, for a few
 * seconds at a time. A process that could not say so in time finds its grip void: every change of the row demands it, and a file that it may
 * still have open is not written to by anybody else.
 */
export class UploadLocks implements AsyncDisposable {
  /** How the rows name this process. */
  readonly identity = holderIdentity()
  readonly #database: Database
  readonly #holders = new Map<string, Holder>()
  readonly #releasing = new Set<Promise<unknown>>()
  #renewal: NodeJS.Timeout | undefined
  #unlisten: (() => Promise<void>) | undefined

  private constructor(database: Database) {
    this.#database = database
  }

  static async open(database: Database): Promise<UploadLocks> {
    const locks = new UploadLocks(database)
    locks.#unlisten = await database.listen(channel, (payload) => locks.#hear(payload))
    return locks
  }

  /** Whether a request in this process works on it. */
  isHeld(id: string): boolean {
    return this.#holders.has(id)
  }

  /** Asks every request in progress in this process to stop. */
  interruptAll(): void {
    for (const { controller } of this.#holders.values()) controller.abort('stop' satisfies Interruption)
  }

  /** For an id that was made just now: nobody else can want it. */
  takeNew(id: string): UploadLock {
    return this.#lock(id, this.#begin(id))
  }

  /** Throws `upload-locked` when the holder does not let go within three seconds. */
  async take(id: string, purpose: Interruption): Promise<UploadLock> {
    const deadline = performance.now() + patienceMs
    for (let holder = this.#holders.get(id); holder; holder = this.#holders.get(id)) {
      holder.controller.abort(purpose)
      if (!(await within(deadline, holder.released))) throw lockedProblem()
    }
    // Held here first, so that of this process only one request at a time asks the database.
    const holder = this.#begin(id)
    try {
      for (let attempt = 0; ; attempt++) {
        const other = await this.#takeRow(id, holder)
        if (other === undefined) return this.#lock(id, holder)
        if (attempt % 8 === 0) await this.#ask(id, other.grip, purpose)
        const leftMs = deadline - performance.now()
        if (leftMs <= 0 || holder.controller.signal.aborted) throw lockedProblem()
        await new Promise((resolve) => setTimeout(resolve, Math.min(25 * (attempt + 1), 100, leftMs)))
      }
    } catch (error) {
      this.#end(id, holder)
      throw error
    }
  }

  /** The lock when nobody works on the upload, here or in another process; nobody is interrupted. */
  async tryTake(id: string): Promise<UploadLock | undefined> {
    if (this.#holders.has(id)) return undefined
    const holder = this.#begin(id)
    try {
      if ((await this.#takeRow(id, holder)) === undefined) return this.#lock(id, holder)
    } catch (error) {
      this.#end(id, holder)
      throw error
    }
    this.#end(id, holder)
    return undefined
  }

  /** Call when no request is in progress any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#renewal)
    await this.#unlisten?.()
    await Promise.all(this.#releasing)
  }

  #begin(id: string): Holder {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const holder: Holder = { controller: new AbortController(), released, release, row: undefined }
    this.#holders.set(id, holder)
    return holder
  }

  #lock(id: string, holder: Holder): UploadLock {
    return {
      interrupted: holder.controller.signal,
      row: holder.row,
      adopt: (row) => this.#own(holder, row),
      [Symbol.asyncDispose]: async () => this.#end(id, holder),
    }
  }

  #own(holder: Holder, row: UploadRow): void {
    holder.row = row
    this.#renewSoon()
  }

  #end(id: string, holder: Holder): void {
    this.#holders.delete(id)
    if (holder.row) this.#release(id, holder.row.grip)
    holder.release()
  }

  /** Gives the row to `holder`, when there is a row; else tells the grip of the process that works on it. */
  async #takeRow(id: string, holder: Holder): Promise<{ grip: number } | undefined> {
    let attempt = await takeHold(this.#database, id, { holder: this.identity, deadHolder: null })
    if (attempt?.taken === false && hasDied(attempt.holder))
      attempt = await takeHold(this.#database, id, { holder: this.identity, deadHolder: attempt.holder })
    if (attempt?.taken === false) return { grip: attempt.grip }
    if (attempt) this.#own(holder, attempt.row)
    return undefined
  }

  /** Nobody waits for it: in this process the next request may take the row as it is, in another one it asks again in a moment. */
  #release(id: string, grip: number): void {
    const work: Promise<unknown> = releaseHold(this.#database, id, grip)
      // What cannot be released is free when its time is over.
      .catch(() => undefined)
      .finally(() => this.#releasing.delete(work))
    this.#releasing.add(work)
  }

  #renewSoon(): void {
    this.#renewal ??= setTimeout(() => {
      this.#renewal = undefined
      void this.#renew().then(() => {
        if (this.#heldRows().length > 0) this.#renewSoon()
      })
    }, renewEveryMs)
    this.#renewal.unref()
  }

  #heldRows(): [string, Holder][] {
    return [...this.#holders].filter(([, { row }]) => row !== undefined)
  }

  async #renew(): Promise<void> {
    const held = this.#heldRows()
    if (held.length === 0) return
    try {
      const ids = held.map(([id]) => id)
      const kept = new Set(await renewHolds(this.#database, this.identity, ids))
      for (const [id, { controller }] of held) if (!kept.has(id)) controller.abort('append' satisfies Interruption)
    } catch {
      // While the database is away nobody else gets the upload either; the next commit tells.
    }
  }

  async #ask(id: string, grip: number, purpose: Interruption): Promise<void> {
    await this.#database.run(sql`select pg_notify(${channel}, ${JSON.stringify({ id, grip, purpose })})`)
  }

  #hear(payload: string): void {
    if (payload === '') return
    const { id, grip, purpose } = JSON.parse(payload) as { id: string; grip: number; purpose: Interruption }
    const holder = this.#holders.get(id)
    if (holder?.row?.grip === grip) holder.controller.abort(purpose)
  }
}

/** False when it has not happened by then. */
async function within(deadline: number, event: Promise<void>): Promise<boolean> {
  const leftMs = deadline - performance.now()
  if (leftMs <= 0) return false
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), leftMs)
  })
  const happened = await Promise.race([event.then(() => true), late])
  clearTimeout(timer)
  return happened
}

export const lockedProblem = (): Problem =>
  new Problem(
    'upload-locked',
    'Another request for this upload is being worked on. Ask for its offset again in a few seconds.',
    { details: { retry_after: 2 } },
  )
