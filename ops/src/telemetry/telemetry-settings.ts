import { address, type Settings } from '@dam/platform/settings'

/** Where the values of signals are sent; without them they are on /metrics and in the console only. */
export const telemetrySettings = {
  otlpUrl: {
    variable: 'DAM_OTLP_URL',
    describe: 'Collector or Datadog Agent that takes OTLP over HTTP: http://localhost:4318',
    parse: address('http:', 'https:'),
  },
  dogStatsD: {
    variable: 'DAM_DOGSTATSD',
    describe: 'Datadog Agent that takes DogStatsD datagrams: localhost:8125',
    parse: (text: string) => {
      const [, host, port] = /^\[?([\w.:-]+?)\]?:(\d{1,5})$/.exec(text) ?? []
      if (!host || !port || Number(port) > 65_535) throw new Error('expected host:port, such as localhost:8125')
      return { host, port: Number(port) }
    },
  },
} as const satisfies Settings
