import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CpuUsed, Product } from './product.ts'

export type LoadResult = {
  requests: number
  failures: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  bytesPerSecond: number
}

type LoadOptions = { paths: readonly string[]; connections: number; seconds: number }

/** Requests the paths in turn over that many connections; all answers must be 2xx. */
export async function loadFrom(
  server: { origin: string; authorization: string },
  options: LoadOptions,
): Promise<LoadResult> {
  const input = JSON.stringify({ ...options, url: server.origin, authorization: server.authorization })
  const child = fork(fileURLToPath(new URL('./load-main.ts', import.meta.url)), [input])
  const [result] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`The load generator ended early (${String(code)}).`)),
    ),
  ])) as [LoadResult]
  if (result.failures > 0 || result.requests === 0)
    throw new Error(`${result.failures} of ${result.requests + result.failures} requests failed: ${options.paths[0]}`)
  return result
}

/** The same against the product, with the CPU it used meanwhile. */
export async function load(
  product: Product,
  options: LoadOptions,
): Promise<LoadResult & { cpu: CpuUsed; cpuMsPerRequest: number }> {
  const meter = product.meterCpu()
  const result = await loadFrom(product.client, options)
  const cpu = meter.stop()
  return { ...result, cpu, cpuMsPerRequest: cpu.totalMs / result.requests }
}
