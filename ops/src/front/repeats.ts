/** Tells a client that meets the same failure again from another that meets it. */
export type Repeats = {
  /** Notes an answer; says whether the client's last one on that path, at most five minutes ago, was bad or slow as well. */
  note(
    client: string | null,
    path: string,
    answer: { isBad: boolean; isSlow: boolean },
    atMs: number,
  ): { isBad: boolean; isSlow: boolean }
}

const rememberedMs = 300_000
const mostRemembered = 10_000

export function createRepeats(): Repeats {
  // Only failures, the oldest first; that a client is not here says its last answer was fine.
  const failures = new Map<string, { isBad: boolean; isSlow: boolean; atMs: number }>()
  return {
    note: (client, path, { isBad, isSlow }, atMs) => {
      if (client === null || (failures.size === 0 && !isBad && !isSlow)) return { isBad: false, isSlow: false }
      const key = `${client}\n${path.slice(0, 200)}`
      const found = failures.get(key)
      const last = found && atMs - found.atMs <= rememberedMs ? found : undefined
      failures.delete(key)
      if (isBad || isSlow) {
        failures.set(key, { isBad, isSlow, atMs })
        if (failures.size > mostRemembered) failures.delete(failures.keys().next().value as string)
      }
      return { isBad: isBad && last?.isBad === true, isSlow: isSlow && last?.isSlow === true }
    },
  }
}
