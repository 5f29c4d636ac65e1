import path from 'node:path'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import type { Environment } from '../environments/environment.ts'
import { readSyntheticSecret } from '../environments/synthetic-secret.ts'
import type { Store } from '../store.ts'
import type { DiagnosisPlace } from './place.ts'

/** Where to look for an environment; `shell` holds the settings of a local one. Starts nothing. */
export function openPlace(input: {
  environment: Environment
  store: Store
  shell: Readonly<Record<string, string | undefined>>
  cdnUrl: string | null
  gapMs?: number
  now: Date
}): DiagnosisPlace {
  const { environment, store, cdnUrl, now } = input
  const settings: Readonly<Record<string, string | undefined>> = environment.isLocal
    ? { ...input.shell, ...environment.settings }
    : environment.settings
  const running = environment.databaseUrl === null ? describeRunningPostgres(environment.dataDir) : null
  return {
    environment,
    store,
    connectionString: environment.databaseUrl ?? running?.connectionString ?? settings['DATABASE_URL'] ?? null,
    redisUrl: settings['REDIS_URL'] ?? null,
    logsDir: settings['DAM_LOG_DIR'] ?? path.join(environment.dataDir, 'logs'),
    syntheticSecret: environment.runDir === null ? null : secretOf(environment.runDir),
    cdnUrl,
    gapMs: input.gapMs ?? 1_500,
    now,
  }
}

function secretOf(runDir: string): string | null {
  try {
    return readSyntheticSecret(runDir)
  } catch {
    return null
  }
}
