import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { type Environment, environmentFolders, type HostConfig } from './environment.ts'

const port = z.number().int().min(1).max(65_535)

/** Names reach paths, process titles and unit files. */
export const environmentName = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/)

const hostConfig = z.object({
  format: z.literal(1),
  environments: z.record(environmentName, z.object({ host: z.string(), port, publicUrl: z.url() })),
  ops: z.object({ host: z.string(), port }),
  slotPorts: z.object({ first: port, last: port }),
}) satisfies z.ZodType<HostConfig>

export const hostConfigFile = (hostDir: string): string => path.join(hostDir, 'host.json')

export const isPreparedHost = (hostDir: string): boolean => existsSync(hostConfigFile(hostDir))

/** Throws an Error that names the file and the mistake. */
export function readHost(hostDir: string): HostConfig {
  const file = hostConfigFile(hostDir)
  if (!existsSync(file)) {
    throw new Error(
      `${hostDir} is not a prepared host (host.json is missing). Prepare it: ./dam host init --dir ${hostDir}`,
    )
  }
  try {
    return hostConfig.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    throw new Error(`${file} cannot be used: ${reason}`, { cause: error })
  }
}

export const readEnvironments = (hostDir: string): Environment[] =>
  Object.keys(readHost(hostDir).environments).map((name) => environmentOf(hostDir, name))

/** Throws an Error that lists the environments there are. */
export function environmentOf(hostDir: string, name: string): Environment {
  const { environments } = readHost(hostDir)
  const found = Object.hasOwn(environments, name) ? environments[name] : undefined
  if (!found) {
    throw new Error(`There is no environment "${name}" on this host. There is: ${Object.keys(environments).join(', ')}`)
  }
  const folders = environmentFolders(hostDir, name)
  const { DATABASE_URL: databaseUrl, ...settings } = readSettingsFile(folders.settingsFile)
  return {
    name,
    isLocal: false,
    publicUrl: found.publicUrl.replace(/\/+$/, ''),
    host: found.host,
    port: found.port,
    dataDir: folders.data,
    databaseUrl: databaseUrl ?? null,
    runDir: folders.run,
    settings,
  }
}

function readSettingsFile(file: string): Record<string, string> {
  if (!existsSync(file)) return {}
  const entries = Object.entries(parseEnv(readFileSync(file, 'utf8')))
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => Boolean(entry[1])))
}
