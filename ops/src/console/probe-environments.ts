import type { Probe } from '@dam/contract/ops-types'
import type { Environment } from '../environments/environment.ts'
import { readSyntheticSecret, syntheticHeader } from '../environments/synthetic-secret.ts'

export type Probes = Disposable & {
  /** What was found last, and never older than two rounds. */
  of(environment: string): Probe | null
}

const everyMs = 5_000
const boundMs = 4_000

/** Asks `/health` and `/api/health` of every environment through its public address, as users would reach it. */
export function probeEnvironments(environments: () => readonly Environment[]): Probes {
  const found = new Map<string, Probe>()
  const underWay = new Set<string>()
  const look = (): void => {
    for (const environment of environments()) {
      if (underWay.has(environment.name)) continue
      underWay.add(environment.name)
      void probeOnce(environment.publicUrl, headersOf(environment))
        .then((probe) => found.set(environment.name, probe))
        .finally(() => underWay.delete(environment.name))
    }
  }
  const timer = setInterval(look, everyMs)
  timer.unref()
  look()
  return {
    of: (name) => {
      const probe = found.get(name)
      return probe && Date.now() - Date.parse(probe.at) < 2 * everyMs + boundMs ? probe : null
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}

/** Marks our own requests, so that the front counts no probe as a user. */
const headersOf = ({ runDir }: Environment): Record<string, string> => {
  if (runDir === null) return {}
  try {
    return { [syntheticHeader]: readSyntheticSecret(runDir) }
  } catch {
    return {}
  }
}

export async function probeOnce(publicUrl: string, headers: Record<string, string> = {}): Promise<Probe> {
  const startedAt = performance.now()
  const done = (state: Probe['state'], message: string, version: string | null): Probe => ({
    at: new Date().toISOString(),
    state,
    message,
    version,
    tookMs: Math.round(performance.now() - startedAt),
  })
  try {
    const [shallow, deep] = await Promise.all([
      ask(`${publicUrl}/health`, headers),
      ask(`${publicUrl}/api/health`, headers),
    ])
    const version = shallow.body['version'] ?? deep.body['version'] ?? null
    if (shallow.status !== 200) return done('unhealthy', `/health answers ${shallow.status}`, version)
    const state = deep.body['status']
    if (state === 'healthy') return done('healthy', '', version)
    const parts = (['database', 'cache', 'storage'] as const)
      .filter((part) => /^(disconnected|unavailable)$/.test(deep.body[part] ?? ''))
      .map((part) => `${part} ${deep.body[part]}`)
    return done(
      state === 'degraded' ? 'degraded' : 'unhealthy',
      parts.join(', ') || `/api/health answers ${deep.status}`,
      version,
    )
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const message =
      code === 'ECONNREFUSED'
        ? 'nothing listens there'
        : error instanceof Error && error.name === 'TimeoutError'
          ? `no answer within ${boundMs / 1000} s`
          : code || (cause instanceof Error ? cause.message : String(error))
    return done('unreachable', message, null)
  }
}

async function ask(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: Record<string, string> }> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(boundMs), redirect: 'manual' })
  const text = (await response.text()).slice(0, 4096)
  try {
    return { status: response.status, body: JSON.parse(text) as Record<string, string> }
  } catch {
    return { status: response.status, body: {} }
  }
}
