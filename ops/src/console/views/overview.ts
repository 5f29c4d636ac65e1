import type { EnvironmentOverview, IncidentSummary, Overview } from '@dam/contract/ops-types'
import type { Environment } from '../../environments/environment.ts'
import type { Pointer } from '../../front/front-api.ts'
import type { Incident } from '../../incidents/incident.ts'
import { listIncidents } from '../../incidents/incident-store.ts'
import type { Store } from '../../store.ts'
import type { Probes } from '../probe-environments.ts'
import { lastDrill, lastGoodBackupAt } from './backup-view.ts'
import { listDeployments, runningDeployment } from './deployment-view.ts'

const mostIncidents = 20

export const presentIncident = (incident: Incident): IncidentSummary => ({
  id: incident.id,
  environment: incident.environment,
  severity: incident.severity,
  title: incident.title,
  cause: incident.cause,
  state: incident.state,
  openedAt: incident.openedAt,
  openedBy: incident.openedBy,
  acknowledgedAt: incident.acknowledgedAt,
  acknowledgedBy: incident.acknowledgedBy,
  resolvedAt: incident.resolvedAt,
  deploymentId: incident.deploymentId,
})

export const readOverview = (
  store: Store,
  environments: readonly Environment[],
  probes: Probes,
  now: Date,
): Overview => ({
  at: now.toISOString(),
  environments: environments.map((environment) => describe(store, environment, probes)),
})

function describe(store: Store, environment: Environment, probes: Probes): EnvironmentOverview {
  const { name } = environment
  const health = probes.of(name)
  const row = store.row<{ pointer: string; at: string }>('select pointer, at from pointer where environment = ?', name)
  const pointer = row ? (JSON.parse(row.pointer) as Pointer) : null
  const last = listDeployments(store, { environment: name, limit: 1 })[0] ?? null
  return {
    name,
    isLocal: environment.isLocal,
    publicUrl: environment.publicUrl,
    active: activeOf(store, pointer, row?.at ?? null, environment, health?.version ?? null),
    control: pointer?.control
      ? { tag: pointer.control.upstream.tag, sharePercent: pointer.control.sharePercent }
      : null,
    maintenance: pointer?.maintenance ? { mode: pointer.maintenance.mode, reason: pointer.maintenance.reason } : null,
    health,
    deployment: runningDeployment(store, name),
    lastDeployment: last,
    incidents: listIncidents(store, { state: 'unresolved', environment: name, limit: mostIncidents }).map(
      presentIncident,
    ),
    lastBackupAt: lastGoodBackupAt(store, name),
    lastDrill: lastDrill(store, name),
  }
}

/** A local DAM runs from its checkout: what it says of itself is all there is to know. */
function activeOf(
  store: Store,
  pointer: Pointer | null,
  at: string | null,
  environment: Environment,
  version: string | null,
): EnvironmentOverview['active'] {
  if (environment.isLocal) return version === null ? null : { tag: `v${version}`, digest: null, since: null }
  if (!pointer?.active) return null
  const { slot, tag } = pointer.active
  const known = store.row<{ digest: string; since: string }>(
    'select digest, created_at as since from slot where id = ?',
    slot,
  )
  return {
    tag,
    digest: known?.digest ?? null,
    since: cutOverAt(store, environment.name, tag) ?? at ?? known?.since ?? null,
  }
}

/** When the last deployment that ended well let this release take the traffic. */
const cutOverAt = (store: Store, environment: string, tag: string): string | null =>
  store.row<{ at: string }>(
    `select e.at from deployment_event e join deployment d on d.id = e.deployment_id join release r on r.digest = d.digest
     where d.environment = ? and r.tag = ? and e.state = 'cut-over' and e.status = 'done' order by e.id desc limit 1`,
    environment,
    tag,
  )?.at ?? null
