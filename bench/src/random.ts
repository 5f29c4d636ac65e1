/** The same numbers in every run, 0 <= n < 1 (mulberry32). */
export function createRandom(seed: number) {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    between: (least: number, most: number): number => least + below(most - least + 1),
    pick: <T>(items: readonly T[]): T => items[below(items.length)] as T,
    /** Index 0 the likeliest by far, as words and tags are used. */
    zipf: (limit: number): number => Math.min(limit - 1, Math.floor(Math.exp(next() * Math.log(limit + 1))) - 1),
  }
}

export type Random = ReturnType<typeof createRandom>
