import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { openStore } from '../store.ts'
import { environmentFolders, type HostConfig, hostFolders } from './environment.ts'
import { hostConfigFile, readHost } from './host.ts'
import { canListen } from './port.ts'
import { createSyntheticSecret } from './synthetic-secret.ts'

export type InitOptions = {
  hostDir: string
  host: string
  ports: { production: number; staging: number; ops: number; firstSlot: number; lastSlot: number }
  /** Public addresses, where a proxy with TLS stands in front. */
  publicUrls?: Partial<Record<'production' | 'staging', string>>
}

export type InitResult = {
  config: HostConfig
  /** False when host.json was there: its settings were kept. */
  isNew: boolean
  /** Ports another program listens on now, with what they are for. */
  taken: { port: number; use: string }[]
}

/** Prepares a host, or completes one that was prepared: nothing that exists is changed but access rights that were too wide. */
export async function initHost(options: InitOptions): Promise<InitResult> {
  const { hostDir } = options
  const isNew = !existsSync(hostConfigFile(hostDir))
  mkdirSync(hostDir, { recursive: true })
  const config = isNew ? newConfig(options) : readHost(hostDir)
  for (const folder of Object.values(hostFolders(hostDir))) mkdirSync(folder, { recursive: true })
  const { ops, keys, backups } = hostFolders(hostDir)
  for (const closed of [ops, keys, backups]) chmodSync(closed, 0o700)
  for (const name of Object.keys(config.environments)) prepareEnvironment(hostDir, name)
  openStore(ops).close()
  // Last: a host with this file is complete.
  if (isNew) writeFileSync(hostConfigFile(hostDir), `${JSON.stringify(config, null, 2)}\n`)
  return { config, isNew, taken: isNew ? await takenPorts(config) : [] }
}

function newConfig({ host, ports, publicUrls }: InitOptions): HostConfig {
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const environment = (name: 'production' | 'staging') => ({
    host,
    port: ports[name],
    publicUrl: publicUrls?.[name] ?? `http://${shown}:${ports[name]}`,
  })
  return {
    format: 1,
    environments: { staging: environment('staging'), production: environment('production') },
    ops: { host: 'localhost', port: ports.ops },
    slotPorts: { first: ports.firstSlot, last: ports.lastSlot },
  }
}

function prepareEnvironment(hostDir: string, name: string): void {
  const folders = environmentFolders(hostDir, name)
  // PostgreSQL as another user must be able to pass through the first; see postgres/cluster.ts.
  mkdirSync(folders.root, { recursive: true })
  mkdirSync(folders.data, { recursive: true })
  mkdirSync(folders.run, { recursive: true, mode: 0o700 })
  createSyntheticSecret(folders.run)
  if (existsSync(folders.settingsFile)) chmodSync(folders.settingsFile, 0o600)
  else writeFileSync(folders.settingsFile, settingsTemplate(name), { mode: 0o600 })
}

const settingsTemplate = (
  name: string,
): string => `# Settings of ${name}, one NAME=value a line, read at every start of a process of it.
# All settings: ./dam config. HOST, PORT, DAM_DATA and DAM_PUBLIC_URL are given by the host.

# External PostgreSQL; without it ${name} runs one of its own in its data folder.
# DATABASE_URL=postgresql://user:password@database.example/dam_db

# The first administrator, created without a person when no account exists.
# DAM_ADMIN_USERNAME=
# DAM_ADMIN_PASSWORD=
`

async function takenPorts(config: HostConfig): Promise<InitResult['taken']> {
  const wanted = [
    ...Object.entries(config.environments).map(([use, { host, port }]) => ({ use, host, port })),
    { use: 'console', ...config.ops },
  ]
  const answers = await Promise.all(
    wanted.map(async (each) => ({ ...each, free: await canListen(each.host, each.port) })),
  )
  return answers.filter(({ free }) => !free).map(({ port, use }) => ({ port, use }))
}
