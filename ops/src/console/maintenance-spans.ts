import type { Pointer } from '../front/front-api.ts'
import { comingWindows, pastWindows } from '../maintenance/window-store.ts'
import type { Store } from '../store.ts'

export type MaintenanceSpan = { name: string; from: string; until: string | null }

const mostPast = 100

/** Maintenance that touches a stretch of time: windows as they took place or will, and one that somebody switched on without a window. */
export function maintenanceSpans(store: Store, environment: string, from: Date, until: Date): MaintenanceSpan[] {
  const past = pastWindows(store, mostPast).filter(
    (window) => window.environment === environment && window.enteredAt !== null,
  )
  const windows = [...past, ...comingWindows(store, from, environment)].map((window) => ({
    name: window.name,
    from: window.enteredAt ?? window.startsAt,
    until: window.leftAt ?? window.endsAt,
    isActive: window.state === 'active',
  }))
  const row = store.row<{ pointer: string; at: string }>(
    'select pointer, at from pointer where environment = ?',
    environment,
  )
  const isOn = row !== undefined && (JSON.parse(row.pointer) as Pointer).maintenance !== null
  const alone =
    isOn && !windows.some(({ isActive }) => isActive) ? [{ name: 'Maintenance', from: row.at, until: null }] : []
  return [...windows, ...alone]
    .filter((span) => span.from < until.toISOString() && (span.until === null || span.until > from.toISOString()))
    .map(({ name, from, until }) => ({ name, from, until }))
}
