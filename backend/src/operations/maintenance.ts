import { Problem, type RouteName } from '@dam/contract'
import { endpoints, routes, type Endpoint } from '@dam/contract/endpoints'
import type { MaintenanceFile, ShownWindow } from '@dam/platform/maintenance-file'

/** What works whatever is maintained: people can sign in and see why the rest does not. */
const alwaysOpen: ReadonlySet<RouteName> = new Set([
  'getSession',
  'signIn',
  'signOut',
  'obtainToken',
  'getMaintenance',
] as const)

/** True while nothing but sign-in works. */
export const isClosed = ({ enforcedBy, current }: MaintenanceFile): boolean =>
  enforcedBy === 'web' && current?.mode === 'full'

/**
 * Why a request is refused during maintenance, or null when it may pass: in read-only mode what only reads passes. Where a front process
 * stands before this one it has refused already; what it lets through, such as the journeys that try a new release, passes here.
 */
export function refusedInMaintenance(
  { enforcedBy, current }: MaintenanceFile,
  name: RouteName,
  now: Date,
): Problem | null {
  if (!current || enforcedBy === 'front' || alwaysOpen.has(name)) return null
  const endpoint: Endpoint = endpoints[name]
  const isReading = ['GET', 'HEAD', 'OPTIONS'].includes(routes[name].method) || endpoint.readsOnly === true
  if (current.mode === 'read-only' && isReading) return null
  const { mode, reason, endsAt } = current
  const what =
    mode === 'full'
      ? 'DAM is in maintenance.'
      : 'DAM is in maintenance and takes no changes. Browsing, search and download work; uploads go on by themselves afterwards.'
  const end = `${endsAt.slice(0, 16).replace('T', ' ')} UTC`
  const secondsLeft = Math.ceil((Date.parse(endsAt) - now.getTime()) / 1000)
  return new Problem('maintenance', `${what} Reason: ${reason.replace(/\.?$/, '.')} It is expected to end at ${end}.`, {
    details: { mode, reason, until: endsAt, retry_after: Math.min(3_600, Math.max(10, secondsLeft)) },
  })
}

/** What users are told; a window that was to be over by now and did not take place is not coming any more. */
export function shownMaintenance(file: MaintenanceFile, now: Date) {
  const present = ({ mode, reason, startsAt, endsAt }: ShownWindow) => ({
    mode,
    reason,
    starts_at: startsAt,
    ends_at: endsAt,
  })
  const { current, upcoming } = file
  return {
    current: current ? present(current) : null,
    upcoming: upcoming && upcoming.endsAt > now.toISOString() ? present(upcoming) : null,
  }
}
