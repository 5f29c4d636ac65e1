import { createHash } from 'node:crypto'

export type PostgresSettings = {
  port: number
  socketDir: string
  /** `none` is for tests: a crash of the machine may lose everything. */
  durability: 'full' | 'none'
  /** Version of the programs, so that a server of older ones is not mistaken for ours. */
  programsVersion: string
}

/**
 * The text of postgresql.conf. Sized to be a polite guest on a small machine; an operator's own settings go into
 * postgresql.custom.conf beside it, which is read last and never written by us.
 */
export function settingsText(settings: PostgresSettings): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
  const lines = [
    `dam.programs = ${quoted(settings.programsVersion)}`,
    `listen_addresses = '127.0.0.1'`,
    `port = ${settings.port}`,
    `unix_socket_directories = ${quoted(`"${settings.socketDir.replaceAll('"', '""')}"`)}`,
    `unix_socket_permissions = 0700`,
    `password_encryption = 'scram-sha-256'`,
    `max_connections = 60`,
    `superuser_reserved_connections = 3`,
    `shared_buffers = '64MB'`,
    `work_mem = '8MB'`,
    `maintenance_work_mem = '64MB'`,
    `effective_cache_size = '512MB'`,
    `max_wal_size = '1GB'`,
    `wal_compression = on`,
    `random_page_cost = 1.5`,
    `jit = off`,
    `max_parallel_workers_per_gather = 0`,
    `io_workers = 2`,
    `max_logical_replication_workers = 0`,
    `shared_preload_libraries = 'pg_stat_statements'`,
    `timezone = 'UTC'`,
    `log_timezone = 'UTC'`,
    `lc_messages = 'C'`,
    `log_line_prefix = '%m [%p] %a '`,
    `log_min_duration_statement = '1s'`,
    `log_checkpoints = off`,
    ...(settings.durability === 'none'
      ? ['fsync = off', 'synchronous_commit = off', 'full_page_writes = off']
      : ['fsync = on', 'synchronous_commit = on', 'full_page_writes = on']),
  ]
  return [
    '# Written by DAM at every start. Put your own settings into postgresql.custom.conf.',
    ...lines,
    `dam.settings = '${fingerprint(lines)}'`,
    `include_if_exists = 'postgresql.custom.conf'`,
    '',
  ].join('\n')
}

/** What a server started with these settings answers to `show dam.settings`. */
export const fingerprintOf = (settings: PostgresSettings): string =>
  /^dam\.settings = '([0-9a-f]+)'$/m.exec(settingsText(settings))?.[1] ?? ''

const fingerprint = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)

export const accessText = `# Written by DAM at every start.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
local replication all scram-sha-256
`
