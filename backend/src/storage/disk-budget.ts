import { Problem } from '@dam/contract'

export type DiskBudget = {
  /**
   * Sets bytes aside for an upload that begins; release what was not turned into a row. Throws `storage-full` when they would eat
   * into the share of the disk that stays free or into what other unfinished uploads were promised.
   */
  reserve(bytes: number): Promise<Disposable>
}

const freshForMs = 1_000

/** `promisedBytes` are the bytes that unfinished uploads in the database still expect. */
export function createDiskBudget(deps: {
  space: () => Promise<{ freeBytes: number; totalBytes: number }>
  promisedBytes: () => Promise<number>
  reservePercent: number
}): DiskBudget {
  let seen: { availableBytes: number; until: number } | undefined
  let looking: Promise<number> | undefined
  let reservedBytes = 0

  const look = async (): Promise<number> => {
    const [space, promised] = await Promise.all([deps.space(), deps.promisedBytes()])
    const availableBytes = space.freeBytes - (space.totalBytes * deps.reservePercent) / 100 - promised
    seen = { availableBytes, until: performance.now() + freshForMs }
    return availableBytes
  }
  const available = async (): Promise<number> => {
    if (seen && seen.until > performance.now()) return seen.availableBytes
    looking ??= look().finally(() => (looking = undefined))
    return looking
  }

  return {
    reserve: async (bytes) => {
      const free = (await available()) - reservedBytes
      if (bytes > free) {
        throw new Problem(
          'storage-full',
          'There is not enough space for this file. Ask an administrator to free some, or upload something smaller.',
          {
            details: { needed_bytes: bytes, available_bytes: Math.max(0, Math.floor(free)) },
          },
        )
      }
      reservedBytes += bytes
      let released = false
      return {
        [Symbol.dispose]: () => {
          if (released) return
          released = true
          reservedBytes -= bytes
          // Until the next look the bytes may be on the disk or promised by a row: count them as used.
          if (seen) seen.availableBytes -= bytes
        },
      }
    },
  }
}
