import { connectionString, databaseName, databaseUser, postgresLayout, readTrimmed } from './layout.ts'
import { realpathSync } from 'node:fs'
import { livingPostmaster } from './postmaster.ts'

export type RunningPostgres = {
  pid: number
  /** False while it starts or recovers. */
  ready: boolean
  connectionString: string
  /** The same over TCP, for tools that do not speak unix sockets. */
  tcp: { host: string; port: number; user: string; database: string; passwordFile: string }
}

/** The built-in server that runs on this data directory, whoever started it, or null. */
export function describeRunningPostgres(dataDir: string): RunningPostgres | null {
  let resolved: string
  try {
    resolved = realpathSync(dataDir)
  } catch {
    return null
  }
  const layout = postgresLayout(resolved)
  const living = livingPostmaster(layout.clusterDir)
  const password = living && readTrimmed(layout.passwordFile)
  if (!living || !password || living.port === null || living.socketDir === null) return null
  const { pid, ready, port, socketDir } = living
  return {
    pid,
    ready,
    connectionString: connectionString({ password, port, database: databaseName, socketDir }),
    tcp: { host: '127.0.0.1', port, user: databaseUser, database: databaseName, passwordFile: layout.pgpassFile },
  }
}
