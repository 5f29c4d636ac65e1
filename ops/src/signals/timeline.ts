import type { Store } from '../store.ts'
import type { Sample } from './sample.ts'
import { readSteps, type Step } from './sample-store.ts'

/** The steps of an environment in memory, read once and then followed: a look every ten seconds reads one row. */
export type Timeline = {
  /** Steps that began within the window before `now`, oldest first. */
  window(now: Date, windowMs: number): Sample[]
}

/** `longestMs` is as far back as anybody will ask. The newest step may still change, so it is read again each time. */
export function openTimeline(store: Store, environment: string, longestMs: number): Timeline {
  let steps: Step[] = []
  let readUntil: number | null = null
  let followedAt: number | null = null
  const follow = (now: number): void => {
    const from = readUntil === null ? now - longestMs : Math.max(readUntil, now - longestMs)
    const news = readSteps(store, environment, from, now)
    const kept = steps.filter(({ at }) => at >= now - longestMs && at < from)
    steps = [...kept, ...news]
    const last = steps.at(-1)
    readUntil = last ? last.at : from
  }
  return {
    window: (now, windowMs) => {
      const until = now.getTime()
      // Asked again for the same moment, nothing is read.
      if (followedAt !== until) follow(until)
      followedAt = until
      const from = until - windowMs
      let first = steps.length
      while (first > 0 && (steps[first - 1]?.at ?? 0) >= from) first--
      return steps.slice(first).map(({ sample }) => sample)
    },
  }
}
