import path from 'node:path'
import { type Environment, hostFolders } from '@dam/ops/src/environments/environment.ts'
import { isPreparedHost, readEnvironments } from '@dam/ops/src/environments/host.ts'
import { readEffectiveConfig, root, shellEnvironment } from './config.ts'
import { CommandFailure } from './failure.ts'
import { publicAddress } from './up/address.ts'

/** Where the operations of this DAM keep their things, and what they look after. */
export type OperationsPlace = {
  /** Null: no host was prepared, this is the DAM of `./dam up`. */
  hostDir: string | null
  opsDir: string
  backupsDir: string
  environments: Environment[]
}

/** The folder of the host that is meant, prepared or not: `--host`, DAM_HOST_DIR, `host` in the checkout. */
export const hostDirOf = (given: string | undefined): string =>
  path.resolve(given ?? shellEnvironment['DAM_HOST_DIR'] ?? path.join(root, 'host'))

/** The prepared host that is meant. Throws, saying how to prepare one. */
export function requireHost(given: string | undefined): string {
  const hostDir = hostDirOf(given)
  if (isPreparedHost(hostDir)) return hostDir
  throw new CommandFailure(
    `${hostDir} is not a prepared host. Prepare it with ./dam host init${given === undefined ? '' : ` --dir ${given}`}, or name another with --host or DAM_HOST_DIR.`,
  )
}

/** The prepared host when there is one, else the one environment of `./dam up`. A host that is named must be prepared. */
export function operationsPlace(given?: string): OperationsPlace {
  const isNamed = (given ?? shellEnvironment['DAM_HOST_DIR']) !== undefined
  const hostDir = isNamed ? requireHost(given) : hostDirOf(undefined)
  if (isPreparedHost(hostDir)) {
    const { ops, backups } = hostFolders(hostDir)
    return { hostDir, opsDir: ops, backupsDir: backups, environments: readEnvironments(hostDir) }
  }
  const { config } = readEffectiveConfig()
  const local: Environment = {
    name: 'local',
    isLocal: true,
    publicUrl: publicAddress(config, config.port),
    host: config.host,
    port: config.port,
    dataDir: config.dataDir,
    databaseUrl: config.databaseUrl?.reveal() ?? null,
    runDir: null,
    settings: {},
  }
  return {
    hostDir: null,
    opsDir: path.join(config.dataDir, 'ops'),
    backupsDir: path.join(config.dataDir, 'backups'),
    environments: [local],
  }
}
