import { listDeployments } from '../../deployments/deployment-store.ts'
import type { Store } from '../../store.ts'

export type RecentDeployment = {
  id: number
  kind: string
  tag: string
  previousTag: string | null
  state: string
  at: string
  cutOverAt: string | null
}

/** Deployments and rollbacks that were asked for or changed within the last minutes, newest first. */
export const recentDeployments = (store: Store, environment: string, minutes: number, now: Date): RecentDeployment[] =>
  listDeployments(store, { environment, limit: 10 })
    .filter(({ updatedAt }) => Date.parse(updatedAt) >= now.getTime() - minutes * 60_000)
    .map(({ id, kind, tag, previousTag, state, requestedAt, data }) => ({
      id,
      kind,
      tag,
      previousTag,
      state,
      at: requestedAt,
      cutOverAt: data.cutOverAt ?? null,
    }))
