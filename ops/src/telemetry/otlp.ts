import { datadogMetric } from '../exports/datadog.ts'
import { type Delivery, deliveryOf, postJson } from '../notify/channel.ts'
import type { SignalPoint } from './signal-points.ts'

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } })

/** An ExportMetricsServiceRequest in OTLP's JSON encoding: gauges, 64-bit numbers as text. */
export function otlpRequest(points: readonly SignalPoint[], version: string, now: Date) {
  const timeUnixNano = `${now.getTime()}000000`
  const bySignal = Map.groupBy(points, ({ signal }) => signal)
  return {
    resourceMetrics: [
      {
        resource: { attributes: [attribute('service.name', 'dam'), attribute('service.version', version)] },
        scopeMetrics: [
          {
            scope: { name: 'dam.ops', version },
            metrics: [...bySignal].map(([signal, values]) => ({
              name: datadogMetric(signal),
              gauge: {
                dataPoints: values.map(({ environment, windowMs, value }) => ({
                  attributes: [attribute('env', environment), attribute('window', `${windowMs / 1_000}s`)],
                  timeUnixNano,
                  asDouble: value,
                })),
              },
            })),
          },
        ],
      },
    ],
  }
}

/** Posts to `<url>/v1/metrics`, as a Datadog Agent and any collector take it. */
export const sendOtlp = async (
  url: string,
  points: readonly SignalPoint[],
  options: { version: string; now: Date; signal: AbortSignal },
): Promise<Delivery> =>
  deliveryOf(
    await postJson(`${url.replace(/\/+$/, '')}/v1/metrics`, otlpRequest(points, options.version, options.now), {
      signal: options.signal,
      timeoutMs: 5_000,
    }),
  )
