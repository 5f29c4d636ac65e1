import path from 'node:path'
import { createBackup } from '@dam/ops/src/backup/create-backup.ts'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import { readHost } from '@dam/ops/src/environments/host.ts'
import { createFrontClient } from '@dam/ops/src/front/front-client.ts'
import type { EnterDeps } from '@dam/ops/src/maintenance/enter-maintenance.ts'
import { windowsEnvironment } from '@dam/ops/src/maintenance/maintain.ts'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { chooseEnvironment, releaseOf } from '../backup-place.ts'
import { shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { openWatchPlace, type WatchPlace } from '../watch/watch-place.ts'

export type MaintenancePlace = WatchPlace & { environment: Environment; deps: EnterDeps; consoleUrl: string }

/** What commands about maintenance work on: the environment that is named, else the one whose users the policy's windows are for. */
export function openMaintenancePlace(options: { host?: string; environment?: string; by?: string }): MaintenancePlace {
  const watch = openWatchPlace(options.host, options.by)
  const { store, policy, place, who } = watch
  const named = options.environment ?? windowsEnvironment(place.environments)?.name
  const environment = chooseEnvironment(place, named)
  const front = environment.runDir === null ? null : createFrontClient(path.join(environment.runDir, 'front.sock'))
  const { hostDir } = place
  const config = readOpsConfig(shellEnvironment, hostDir === null ? undefined : readHost(hostDir).ops)
  return {
    ...watch,
    environment,
    consoleUrl: config.opsPublicUrl ?? `http://${config.opsHost}:${config.opsPort}`,
    deps: {
      store,
      policy,
      environment,
      front,
      who,
      now: () => new Date(),
      hostDir: place.hostDir,
      opsDir: place.opsDir,
      say: (message) => console.error(`  ${message}`),
      createBackup: (neededBy) => {
        const connectionString = environment.databaseUrl ?? runningDatabase(environment)
        return createBackup(
          { store, backupsDir: place.backupsDir, connectionString },
          { environment, kind: 'deployment', now: new Date(), release: releaseOf(environment, store), neededBy },
        )
      },
    },
  }
}

function runningDatabase({ name, dataDir }: Environment): string {
  const running = describeRunningPostgres(dataDir)
  if (running?.ready) return running.connectionString
  throw new CommandFailure(`The database of ${name} does not run. Start it with ./dam up or ./dam host up.`)
}
