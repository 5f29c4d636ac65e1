import path from 'node:path'
import { latencyBoundsMs } from '../../front/front-api.ts'
import { createFrontClient } from '../../front/front-client.ts'
import { NotThere } from '../probe.ts'

export type FrontSplit = {
  minutes: number
  slots: { slot: string; tag: string; total: number; bad: number; slow: number; p95Ms: number | null }[]
  badRoutes: { method: string; path: string; status: number; count: number }[]
}

/** What the front counted of each slot in the last minutes. */
export async function readFront(runDir: string | null, minutes: number, now: Date): Promise<FrontSplit> {
  if (runDir === null) throw new NotThere('this environment has no front process')
  const from = Math.floor(now.getTime() / 1_000) - minutes * 60
  const { buckets, badRequests } = await createFrontClient(path.join(runDir, 'front.sock')).outcomes(0, from)
  const people = buckets.filter(({ isSynthetic }) => !isSynthetic)
  const slots = Map.groupBy(people, ({ slot, tag }) => `${slot} ${tag}`)
  const recentBad = badRequests.filter(({ at }) => Date.parse(at) >= from * 1_000)
  const routes = Map.groupBy(recentBad, (bad) => `${bad.method} ${withoutIds(bad.path)} ${bad.status}`)
  return {
    minutes,
    slots: [...slots.values()].map((group) => {
      const sum = (of: 'total' | 'bad' | 'slow'): number => group.reduce((all, bucket) => all + bucket[of], 0)
      const latency = group.reduce<number[]>(
        (all, bucket) => bucket.latency.map((count, index) => count + (all[index] ?? 0)),
        [],
      )
      return {
        slot: group[0]?.slot ?? '',
        tag: group[0]?.tag ?? '',
        total: sum('total'),
        bad: sum('bad'),
        slow: sum('slow'),
        p95Ms: quantileMs(latency, 0.95),
      }
    }),
    badRoutes: [...routes.values()]
      .map((group) => ({
        method: group[0]?.method ?? '',
        path: withoutIds(group[0]?.path ?? ''),
        status: group[0]?.status ?? 0,
        count: group.length,
      }))
      .toSorted((a, b) => b.count - a.count)
      .slice(0, 20),
  }
}

/** The upper bound of the bucket in which the quantile lies; null without answers. */
function quantileMs(latency: readonly number[], quantile: number): number | null {
  const total = latency.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  let seen = 0
  for (const [index, count] of latency.entries()) {
    seen += count
    if (seen >= total * quantile) return latencyBoundsMs[index] ?? latencyBoundsMs.at(-1) ?? null
  }
  return null
}

const withoutIds = (pathname: string): string => pathname.replaceAll(/\/\d+(?=\/|$)/g, '/:id')
