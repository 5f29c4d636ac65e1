import type { OpsConfig } from '../config.ts'
import type { Environment } from './environment.ts'

/** The one environment of `./dam up`. */
export function localEnvironment(config: OpsConfig): Environment {
  const isAny = config.host === '0.0.0.0' || config.host === '::'
  const name = isAny ? 'localhost' : config.host.includes(':') ? `[${config.host}]` : config.host
  return {
    name: 'local',
    isLocal: true,
    publicUrl: config.publicUrl ?? `http://${name}${config.port === 80 ? '' : `:${config.port}`}`,
    host: config.host,
    port: config.port,
    dataDir: config.dataDir,
    databaseUrl: null,
    runDir: null,
    settings: {},
  }
}
