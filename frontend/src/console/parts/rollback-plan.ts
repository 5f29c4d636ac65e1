export type RollbackPlan = {
  from: string | null
  to: string | null
  chosen: string | null
  withinMinutes: number
  rungs: {
    name: string
    title: string
    isPossible: boolean
    because: string
    predictedSeconds: number | null
    loses: string
  }[]
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** The plan in what `./dam rollback --plan --json` answered, or null when it answered something else. */
export function readRollbackPlan(answer: unknown): RollbackPlan | null {
  if (!isObject(answer) || !Array.isArray(answer['rungs'])) return null
  return {
    from: text(answer['from']),
    to: text(answer['to']),
    chosen: text(answer['chosen']),
    withinMinutes: Number(answer['withinMinutes'] ?? 15),
    rungs: answer['rungs'].filter(isObject).map((rung) => ({
      name: text(rung['name']) ?? '',
      title: text(rung['title']) ?? '',
      isPossible: rung['isPossible'] === true,
      because: text(rung['because']) ?? '',
      predictedSeconds:
        isObject(rung['predicted']) && typeof rung['predicted']['seconds'] === 'number'
          ? rung['predicted']['seconds']
          : null,
      loses: text(rung['loses']) ?? '',
    })),
  }
}
