/** Every number of the judge. Rates are shares of 1, times are milliseconds unless named otherwise. */
export type BakePolicy = {
  /** The bake lasts this long at least; it is extended once by as much when nothing can be said. */
  bakeMs: number
  /** The sum at which a release is bad, and the least it can be: e^9.21 = 10 000 to 1, e^-4.6 = 1 to 100. */
  badAt: number
  floor: number
  /** A rate the old release may have without being asked about, and the least rate that is bad. */
  toleratedRate: number
  badRate: number
  /** A bad release has at least this many times the old one's rate. */
  badFactor: number
  /** Most evidence one second can give: a decision needs two of them. */
  mostPerSecond: number
  /** While less than this share fails, the rise must have lasted so long: a hiccup of the environment is over by then. */
  patience: readonly { shareBelow: number; seconds: number }[]
  /** From this many requests on both sides, the old release's rate during the bake counts as well. */
  pairedFrom: number
  /** The old release is "as bad" while the pair differs by chance with more than this probability. */
  pairedChance: number
  /** Failed `/readyz` in a row. */
  failedReadiness: number
  restarts: { count: number; withinMs: number }
  criticalErrors: { events: number; users: number }
}

export const defaultBakePolicy: BakePolicy = {
  bakeMs: 15 * 60_000,
  badAt: 9.21,
  floor: -4.6,
  toleratedRate: 0.01,
  badRate: 0.05,
  badFactor: 2.5,
  mostPerSecond: 6.2,
  patience: [
    { shareBelow: 0.8, seconds: 4 },
    { shareBelow: 0.36, seconds: 10 },
  ],
  pairedFrom: 20,
  pairedChance: 0.01,
  failedReadiness: 3,
  restarts: { count: 2, withinMs: 60_000 },
  criticalErrors: { events: 3, users: 2 },
}

/** Milliseconds until the judge looks again, by how long the bake runs. */
export function nextLookAfterMs(sinceCutOverMs: number): number {
  if (sinceCutOverMs < 2 * 60_000) return 2_000
  return 10_000
}

/** The same while the evidence is enough and only patience holds back a decision. */
export const nextLookOverBoundMs = 1_000
