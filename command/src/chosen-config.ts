import type { Config } from '@dam/backend/src/config.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import { isPreparedHost } from '@dam/ops/src/environments/host.ts'
import { chooseEnvironment } from './backup-place.ts'
import { readEffectiveConfig } from './config.ts'
import { CommandFailure } from './failure.ts'
import { hostDirOf, operationsPlace } from './operations.ts'

/** Options of commands that work on the database of one DAM. */
export const chosenOptions = { environment: { type: 'string', short: 'e' }, host: { type: 'string' } } as const

type Chosen = {
  config: Config
  /** Of a prepared host; null: the DAM of `./dam up`. */ environment: Environment | null
}

/**
 * The settings of the DAM that is meant: `--environment` of a prepared host, or that of `./dam up` (`local`). Where a host is prepared
 * and nothing says which is meant it throws, since the wrong database is worse than a question.
 */
export function chosenConfig(values: { environment?: string | undefined; host?: string | undefined }): Chosen {
  const { environment: name } = values
  if (name !== undefined && name !== 'local') {
    const environment = chooseEnvironment(operationsPlace(values.host), name)
    const { config } = readEffectiveConfig({
      ...environment.settings,
      DAM_DATA: environment.dataDir,
      DAM_PUBLIC_URL: environment.publicUrl,
      // Empty: not that of .env or the shell.
      DATABASE_URL: environment.databaseUrl ?? '',
    })
    return { config, environment }
  }
  const { config, origins } = readEffectiveConfig()
  const isTold = name === 'local' || origins.dataDir !== 'default' || config.databaseUrl !== undefined
  const hostDir = hostDirOf(values.host)
  if (isTold || !isPreparedHost(hostDir)) return { config, environment: null }
  throw new CommandFailure(
    `${hostDir} is a prepared host. Say which DAM is meant: ${operationsPlace(values.host)
      .environments.map((one) => `--environment ${one.name}`)
      .join(', ')}, or --environment local for that of ./dam up.`,
  )
}
