/** One thing of the runbook's chapter Performance Tuning. `unknown` says why in `figure`. */
export type TuningLine = {
  area: 'frontend' | 'backend'
  name: string
  state: 'ok' | 'out-of-bounds' | 'unknown'
  figure: string
  bound: string
  /** What to do, where it is out of bounds. */
  advice: string
}

/** Judged by a bound. */
export const judged = (line: Omit<TuningLine, 'state' | 'advice'> & { isOk: boolean; advice: string }): TuningLine => {
  const { isOk, ...rest } = line
  return { ...rest, state: isOk ? 'ok' : 'out-of-bounds', advice: isOk ? '' : rest.advice }
}

export const unknownLine = (line: Pick<TuningLine, 'area' | 'name' | 'bound'>, because: string): TuningLine => ({
  ...line,
  state: 'unknown',
  figure: because,
  advice: '',
})
