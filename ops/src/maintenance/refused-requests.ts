import type { Environment } from '../environments/environment.ts'
import type { FrontClient } from '../front/front-client.ts'
import { addressOf } from '../signals/collect-sample.ts'
import { parsePrometheusText, sumOf } from '../signals/prometheus-text.ts'

/**
 * Requests that were refused because of maintenance: since `from` by the front's figures (it keeps an hour), or all that the web process
 * of a local DAM has counted since it started. Null: nobody could be asked.
 */
export async function readRefused(
  deps: { environment: Environment; front: FrontClient | null },
  from: Date | null,
): Promise<number | null> {
  try {
    if (deps.front) {
      if (from === null) return 0
      const { buckets } = await deps.front.outcomes(0, Math.floor(from.getTime() / 1_000))
      return buckets.reduce((sum, { refused }) => sum + (refused ?? 0), 0)
    }
    const response = await fetch(`${addressOf(deps.environment)}/metrics`, { signal: AbortSignal.timeout(5_000) })
    return sumOf(parsePrometheusText(await response.text()), 'dam_maintenance_refused_total')
  } catch {
    return null
  }
}
