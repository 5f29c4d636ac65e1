// The load generator in a process of its own: autocannon, without pipelining.
import autocannon from 'autocannon'

const { url, authorization, connections, seconds, paths } = JSON.parse(process.argv[2] ?? '{}') as {
  url: string
  authorization: string
  connections: number
  seconds: number
  paths: string[]
}
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  pipelining: 1,
  headers: { authorization },
  requests: paths.map((path) => ({ method: 'GET', path })),
})
process.send?.(
  {
    requests: result['2xx'],
    failures: result.non2xx + result.errors + result.timeouts,
    perSecond: result['2xx'] / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    bytesPerSecond: result.throughput.mean,
  },
  () => process.exit(),
)
