import type { Store } from '../store.ts'
import type { Deployment, DeploymentData, DeploymentEvent, DeploymentKind, DeploymentState } from './deployment.ts'

type Row = Omit<Deployment, 'data'> & { data: string }

const select = `select deployment.id, kind, environment, deployment.digest, release.tag, previous_digest as previousDigest,
  previous.tag as previousTag, state, because, requested_by as requestedBy, requested_at as requestedAt,
  updated_at as updatedAt, ended_at as endedAt, data
  from deployment join release on release.digest = deployment.digest left join release previous on previous.digest = previous_digest`

const deploymentOf = (row: Row): Deployment => ({ ...row, data: JSON.parse(row.data) as DeploymentData })

export const findDeployment = (store: Store, id: number): Deployment | undefined => {
  const row = store.row<Row>(`${select} where deployment.id = ?`, id)
  return row && deploymentOf(row)
}

/** The one that has not ended; an environment has one at most. */
export const openDeployment = (store: Store, environment: string): Deployment | undefined => {
  const row = store.row<Row>(`${select} where environment = ? and ended_at is null`, environment)
  return row && deploymentOf(row)
}

/** Newest first. */
export const listDeployments = (store: Store, options: { environment?: string; limit: number }): Deployment[] =>
  store
    .rows<Row>(
      `${select} where (? = '' or environment = ?) order by deployment.id desc limit ?`,
      options.environment ?? '',
      options.environment ?? '',
      options.limit,
    )
    .map(deploymentOf)

export function insertDeployment(
  store: Store,
  request: {
    kind: DeploymentKind
    environment: string
    digest: string
    previousDigest: string | null
    because: string
    requestedBy: string
    data: DeploymentData
    now: Date
  },
): Deployment {
  const at = request.now.toISOString()
  const id = store.insert(
    `insert into deployment (kind, environment, digest, previous_digest, state, because, requested_by, requested_at, updated_at, data)
     values (?, ?, ?, ?, 'requested', ?, ?, ?, ?, ?)`,
    request.kind,
    request.environment,
    request.digest,
    request.previousDigest,
    request.because,
    request.requestedBy,
    at,
    at,
    JSON.stringify(request.data),
  )
  return getDeployment(store, id)
}

/** Throws when there is none. */
export function getDeployment(store: Store, id: number): Deployment {
  const deployment = findDeployment(store, id)
  if (!deployment) throw new Error(`There is no deployment ${id}. ./dam deployments lists them.`)
  return deployment
}

/** Call inside a transaction that checked the lease. */
export function updateDeployment(
  store: Store,
  id: number,
  change: { state?: DeploymentState; because?: string; data?: Partial<DeploymentData>; isEnded?: boolean },
  now: Date,
): Deployment {
  const before = getDeployment(store, id)
  const at = now.toISOString()
  store.run(
    'update deployment set state = ?, because = ?, data = ?, updated_at = ?, ended_at = ? where id = ?',
    change.state ?? before.state,
    change.because ?? before.because,
    JSON.stringify({ ...before.data, ...change.data }),
    at,
    change.isEnded ? at : before.endedAt,
    id,
  )
  return getDeployment(store, id)
}

export function addDeploymentEvent(
  store: Store,
  id: number,
  event: Pick<DeploymentEvent, 'state' | 'step' | 'status'> & {
    message?: string
    detail?: Record<string, unknown>
    now: Date
  },
): void {
  store.run(
    'insert into deployment_event (deployment_id, at, state, step, status, message, detail) values (?, ?, ?, ?, ?, ?, ?)',
    id,
    event.now.toISOString(),
    event.state,
    event.step,
    event.status,
    event.message ?? '',
    JSON.stringify(event.detail ?? {}),
  )
}

/** Oldest first. */
export const listDeploymentEvents = (store: Store, id: number): DeploymentEvent[] =>
  store
    .rows<Omit<DeploymentEvent, 'detail'> & { detail: string }>(
      'select id, at, state, step, status, message, detail from deployment_event where deployment_id = ? order by id',
      id,
    )
    .map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }))

/** Rollbacks that a machine decided and that began since then. */
export const automaticRollbacksSince = (store: Store, environment: string, since: Date): number =>
  listDeployments(store, { environment, limit: 100 }).filter(({ kind, data }) => {
    const { rollback, stamps } = data
    const isAutomatic = rollback !== undefined && rollback.trigger !== 'person'
    return kind === 'deploy' && isAutomatic && (stamps?.decidedAt ?? '') >= since.toISOString()
  }).length
