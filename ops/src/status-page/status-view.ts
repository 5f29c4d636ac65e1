import type { Probes } from '../console/probe-environments.ts'
import type { Pointer } from '../front/front-api.ts'
import { readSteps } from '../signals/sample-store.ts'
import type { Store } from '../store.ts'
import { listPublicIncidents, type PublicIncident } from './public-update-store.ts'
import { readUptime, type UptimeDay } from './uptime.ts'
import type { SystemState } from './words.ts'

export type StatusSystem = { name: string; state: SystemState; uptime: { days: UptimeDay[]; up: number | null } }
export type StatusView = {
  at: string
  /** The worst of the systems. */
  state: SystemState
  systems: StatusSystem[]
  incidents: PublicIncident[]
  windows: { name: string; from: string; until: string | null }[]
}

export type StatusSource = {
  store: Store
  /** Names of the environments the public may see. */
  environments: () => readonly string[]
  probes: Probes
  windows: (environment: string, from: Date, until: Date) => { name: string; from: string; until: string | null }[]
}

const dayMs = 86_400_000
const pastDays = 14
const aheadDays = 35
/** One lost probe is no outage. */
const lookBackMs = 60_000

const badness: Record<SystemState, number> = { works: 0, unknown: 1, maintenance: 2, limited: 3, down: 4 }

/** Everything the public page shows. Nothing of it is text that was written for operators. */
export function readStatus(source: StatusSource, now: Date): StatusView {
  const names = source.environments()
  const incidents = listPublicIncidents(source.store, names, new Date(now.getTime() - pastDays * dayMs))
  const systems = names.map((name): StatusSystem => {
    const hasIncident = incidents.some(({ environment, isOver }) => environment === name && !isOver)
    const seen = stateOf(source, name, now)
    return {
      name,
      state: seen === 'works' && hasIncident ? 'limited' : seen,
      uptime: readUptime(source.store, name, now),
    }
  })
  return {
    at: now.toISOString(),
    state: systems.map(({ state }) => state).toSorted((a, b) => badness[b] - badness[a])[0] ?? 'unknown',
    systems,
    incidents,
    windows: names
      .flatMap((name) => source.windows(name, now, new Date(now.getTime() + aheadDays * dayMs)))
      .toSorted((a, b) => (a.from < b.from ? -1 : 1)),
  }
}

function stateOf({ store, probes }: StatusSource, name: string, now: Date): SystemState {
  const row = store.row<{ pointer: string }>('select pointer from pointer where environment = ?', name)
  if (row && (JSON.parse(row.pointer) as Pointer).maintenance) return 'maintenance'
  const probe = probes.of(name)
  if (probe?.state === 'healthy') return 'works'
  if (probe?.state === 'degraded') return 'limited'
  const looks = readSteps(store, name, now.getTime() - lookBackMs, now.getTime())
    .map(({ sample }) => sample.up.system)
    .filter((up) => up !== undefined)
  if (looks.length > 0) return looks.some((up) => up === 1) ? 'limited' : 'down'
  return probe ? 'down' : 'unknown'
}
