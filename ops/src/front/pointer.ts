import type { Pointer, Upstream } from './front-api.ts'

export const emptyPointer = (environment: string): Pointer => ({
  environment,
  fencingToken: 0,
  active: null,
  control: null,
  maintenance: null,
})

/** The value as a Pointer; throws an Error that names the first field that is wrong. */
export function parsePointer(value: unknown): Pointer {
  const fields = recordOf(value, 'the pointer')
  const { environment, fencingToken, active, control, maintenance } = fields
  if (typeof environment !== 'string') throw new Error('environment must be a text')
  if (!isWhole(fencingToken)) throw new Error('fencingToken must be a whole number of 0 or more')
  return {
    environment,
    fencingToken,
    active: active === null ? null : parseUpstream(active, 'active'),
    control: control === null ? null : parseControl(control),
    maintenance: maintenance === null ? null : parseMaintenance(maintenance),
  }
}

function parseUpstream(value: unknown, name: string): Upstream {
  const { slot, tag, port } = recordOf(value, name)
  if (typeof slot !== 'string' || slot === '') throw new Error(`${name}.slot must be a text`)
  if (typeof tag !== 'string') throw new Error(`${name}.tag must be a text`)
  if (!isWhole(port) || port < 1 || port > 65_535) throw new Error(`${name}.port must be a port`)
  return { slot, tag, port }
}

function parseControl(value: unknown): Pointer['control'] {
  const { upstream, sharePercent } = recordOf(value, 'control')
  if (typeof sharePercent !== 'number' || !(sharePercent >= 0 && sharePercent <= 100))
    throw new Error('control.sharePercent must be a number from 0 to 100')
  return { upstream: parseUpstream(upstream, 'control.upstream'), sharePercent }
}

function parseMaintenance(value: unknown): Pointer['maintenance'] {
  const { mode, reason, until } = recordOf(value, 'maintenance')
  if (mode !== 'read-only' && mode !== 'full') throw new Error('maintenance.mode must be read-only or full')
  if (typeof reason !== 'string') throw new Error('maintenance.reason must be a text')
  if (until !== null && (typeof until !== 'string' || Number.isNaN(Date.parse(until))))
    throw new Error('maintenance.until must be an instant or null')
  return { mode, reason, until }
}

function recordOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} must be an object`)
  return value as Record<string, unknown>
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
