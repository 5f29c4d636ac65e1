import type { BakeTrace } from '../judge/judge.ts'
import type { Look } from '../judge/watch-release.ts'
import type { WaldSum } from '../judge/wald-sum.ts'
import type { Store } from '../store.ts'

const measured = ['errors', 'slowness'] as const

/** A look without the seconds that an earlier one has on record: what is stored grows with the bake, not with its square. */
export function onlyNewSeconds(trace: BakeTrace, afterSecond: number): BakeTrace {
  const cut = ({ points, ...sum }: WaldSum): WaldSum => ({
    ...sum,
    points: points.filter(({ second }) => second > afterSecond),
  })
  const { errors, slowness } = trace
  return {
    ...trace,
    errors: { ...errors, sum: cut(errors.sum) },
    slowness: { ...slowness, sum: cut(slowness.sum) },
  }
}

/** The newest second a trace tells of; 0: none. */
export const newestSecond = ({ errors }: BakeTrace): number => errors.sum.points.at(-1)?.second ?? 0

export type JoinedTrace = Pick<Look, 'judgement' | 'trace'> & { looks: number }

/**
 * The last look of a bake with the seconds of all its looks, each as it was first seen; null: nobody looked yet. The sum at a second
 * is the one the judge had then, by the baseline of then.
 */
export function joinedTrace(store: Store, deploymentId: number): JoinedTrace | null {
  const looks = store
    .rows<{ look: string }>(
      `select detail -> '$.look' as look from deployment_event
       where deployment_id = ? and json_type(detail, '$.look') is not null order by id`,
      deploymentId,
    )
    .map(({ look }) => JSON.parse(look) as Look)
  const last = looks.at(-1)
  if (!last) return null
  const trace = { ...last.trace }
  for (const name of measured) {
    const bySecond = new Map<number, WaldSum['points'][number]>()
    for (const look of looks) {
      for (const point of look.trace[name].sum.points) {
        if (!bySecond.has(point.second)) bySecond.set(point.second, point)
      }
    }
    const points = [...bySecond.values()].toSorted((a, b) => a.second - b.second)
    trace[name] = { ...trace[name], sum: { ...trace[name].sum, points } }
  }
  return { judgement: last.judgement, trace, looks: looks.length }
}

/** Looks of deployments that ended before `before`; what a deployment did, and why, stays. Gives how many. */
export function pruneLooks(store: Store, before: Date): number {
  return store.run(
    `delete from deployment_event where status = 'note' and at < ? and json_type(detail, '$.look') is not null
     and deployment_id in (select id from deployment where ended_at < ?)`,
    before.toISOString(),
    before.toISOString(),
  )
}
