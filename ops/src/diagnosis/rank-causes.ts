import { actionFor, type ProposedAction } from './actions.ts'
import { type CauseName, causeTitles, type Vote } from './causes.ts'

export type RankedCause = {
  cause: CauseName
  title: string
  weight: number
  /** Share of all weight, 0 to 1. */
  share: number
  /** Heaviest first. */
  evidence: string[]
  action: ProposedAction
}

/** Below this a cause is a hint and named last, never as the answer. */
export const answerWeight = 4

/** Adds the votes of each cause up. Evidence of the same cause about different subjects stays together; the heaviest vote's subject is acted on. */
export function rankCauses(votes: readonly Vote[], environment: string): RankedCause[] {
  const byCause = Map.groupBy(
    votes.filter(({ weight }) => weight > 0),
    ({ cause }) => cause,
  )
  const all = [...byCause.values()].flat().reduce((sum, { weight }) => sum + weight, 0)
  return [...byCause]
    .map(([cause, cast]) => {
      const sorted = cast.toSorted((a, b) => b.weight - a.weight)
      const weight = cast.reduce((sum, vote) => sum + vote.weight, 0)
      return {
        cause,
        title: causeTitles[cause],
        weight: Math.round(weight * 100) / 100,
        share: weight / all,
        evidence: [...new Set(sorted.map(({ evidence }) => evidence))],
        action: actionFor(cause, sorted.find(({ subject }) => subject)?.subject ?? {}, environment),
      }
    })
    .toSorted((a, b) => b.weight - a.weight || (a.cause < b.cause ? -1 : 1))
}

/** The cause to act on, or undefined when nothing speaks loudly enough. */
export const topCause = (causes: readonly RankedCause[]): RankedCause | undefined =>
  causes[0] && causes[0].weight >= answerWeight ? causes[0] : undefined
