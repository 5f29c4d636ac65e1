import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CpuUsed, Product } from './product.ts'

export type LoadResult = { requests: number; failures: number; perSecond: number; p50Ms: number; p99Ms: number; bytesPerSecond: number }

/** Requests the paths in turn over that many connections; all answers must be 2xx. With the CPU the product used meanwhile. */
export async function load(product: Product, options: { paths: readonly string[]; connections: number; seconds: number }): Promise<LoadResult & { cpu: CpuUsed; cpuMsPerRequest: number }> {
  const input = JSON.stringify({ ...options, url: product.origin, authorization: product.client.authorization })
  const meter = product.meterCpu()
  const child = fork(fileURLToPath(new URL('./load-main.ts', import.meta.url)), [input])
  const [result] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(([code]) => Promise.reject(new Error(`The load generator ended early (${String(code)}).`)))])) as [LoadResult]
  const cpu = meter.stop()
  if (result.failures > 0 || result.requests === 0) throw new Error(`${result.failures} of ${result.requests + result.failures} requests failed: ${options.paths[0]}`)
  return { ...result, cpu, cpuMsPerRequest: cpu.totalMs / result.requests }
}
