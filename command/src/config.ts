import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { type Config, readConfig, settings } from '@dam/backend/src/config.ts'
import { opsSettings } from '@dam/ops/src/config.ts'

/** The checkout this command belongs to. */
export const root = path.resolve(import.meta.dirname, '../..')

export type Origin = 'command line' | 'environment' | '.env' | 'default' | 'unset'

export type Effective = {
  config: Config
  origins: Record<keyof Config, Origin>
  /** What child processes get: the environment, completed by .env and the command line. */
  environment: Record<string, string | undefined>
}

/** Reads `.env` of the checkout, the environment (which wins) and `given` from the command line (which wins over both). */
export function readEffectiveConfig(given: Record<string, string | undefined> = {}): Effective {
  const file = path.join(root, '.env')
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  const fromShell = { ...process.env }
  const fromCommandLine = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  // A relative folder means: from where it was written. The default and .env are written at the root of the checkout.
  for (const source of [fromShell, fromCommandLine]) resolveFolders(source, process.cwd())
  resolveFolders(fromFile, root)
  const environment = { DAM_DATA: path.join(root, 'data'), ...fromFile, ...withoutEmpty(fromShell), ...fromCommandLine }
  const { config, sources } = readConfig(environment)
  const originOf = (name: keyof Config): Origin => {
    const { variable } = settings[name]
    if (fromCommandLine[variable]) return 'command line'
    if (fromShell[variable]) return 'environment'
    if (fromFile[variable]) return '.env'
    return name === 'dataDir' || sources[name] === 'default' ? 'default' : 'unset'
  }
  const origins = Object.fromEntries((Object.keys(settings) as (keyof Config)[]).map((name) => [name, originOf(name)]))
  return { config, origins: origins as Record<keyof Config, Origin>, environment }
}

function resolveFolders(source: Record<string, string | undefined>, base: string): void {
  for (const variable of [settings.dataDir.variable, settings.logDir.variable, opsSettings.hostDir.variable]) {
    if (source[variable]) source[variable] = path.resolve(base, source[variable])
  }
}

const withoutEmpty = (source: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ''))

/** The environment we were started with, for programs we start. */
export const shellEnvironment: Readonly<Record<string, string | undefined>> = process.env
