import * as z from 'zod'

const budget = z.strictObject({
  /** As the measurement names it. */
  figure: z.string().min(1),
  bound: z.union([z.strictObject({ atMost: z.number() }), z.strictObject({ atLeast: z.number() })]),
  unit: z.string(),
  /** Where the bound comes from. */
  source: z.string().min(1),
  /** `gate`: measured by every run. `bench`: judged when the results of that bench at the release's commit are there. */
  measuredBy: z.enum(['gate', 'bench']),
})
export type Budget = z.infer<typeof budget>

/** Reads `bench/budgets.json`; throws when it is not as it should be, or bounds nothing. */
export function readBudgets(text: string): Budget[] {
  const parsed = z.array(budget).min(1).safeParse(JSON.parse(text))
  if (!parsed.success) throw new Error(`bench/budgets.json: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

export type Figure = {
  figure: string
  value: number
  unit: string
  /** Measurements it stands for. */ n: number
  from: string
}

const resultRow = z.object({
  figure: z.string(),
  value: z.number(),
  unit: z.string(),
  n: z.number(),
  machine: z.string(),
  date: z.iso.datetime(),
  commit: z.string(),
})

/** Rows of `bench/results/<name>.json` that were measured at exactly this commit, with nothing changed, and are young enough. */
export function figuresOfBench(text: string, options: { commit: string; youngerThanMs: number }, now: Date): Figure[] {
  return z
    .array(resultRow)
    .parse(JSON.parse(text))
    .filter(({ commit, date }) => {
      const ageMs = now.getTime() - Date.parse(date)
      return (
        /^[0-9a-f]{7,64}$/.test(commit) &&
        options.commit.startsWith(commit) &&
        ageMs >= 0 &&
        ageMs < options.youngerThanMs
      )
    })
    .map(({ figure, value, unit, n, machine }) => ({ figure, value, unit, n, from: `bench on ${machine}` }))
}
