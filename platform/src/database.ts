import pg from 'pg'
import type { Sql } from 'sql-template-tag'

export { default as sql, empty, join, raw } from 'sql-template-tag'
export type { Sql } from 'sql-template-tag'

// bigint columns hold ids, sizes and counts, all far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

/** What a store needs to run a statement: the pool or a transaction. */
export type Querier = {
  /** All rows of one statement. */
  rows<Row extends object>(statement: Sql): Promise<Row[]>
  /** The only row, or undefined; throws when there are several. */
  row<Row extends object>(statement: Sql): Promise<Row | undefined>
  /** The number of rows the statement touched. */
  run(statement: Sql): Promise<number>
  /** A statement that the server parses and plans once for each connection. For hot paths; `name` must be unique to `text`. */
  prepared<Row extends object>(name: string, text: string, values: readonly unknown[]): Promise<Row[]>
}

export type Transaction = Querier & { readonly inTransaction: true }

export type Database = Querier & {
  readonly pool: pg.Pool
  /** Runs `work` in one transaction; retries it when the server reports a serialisation failure or deadlock. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Calls `onNotify` with each payload; re-listens after a lost connection and then calls `onNotify('')`. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
  stats(): { total: number; idle: number; waiting: number; max: number }
  end(): Promise<void>
}

export type DatabaseOptions = {
  connectionString: string
  applicationName: string
  maxConnections: number
  /** Milliseconds after which the server gives up on one statement. */
  statementTimeoutMs?: number
  onError?: (error: Error) => void
  onQuery?: (durationMs: number) => void
}

/** Short statements on fast disks: the same plans on every server, whatever its own defaults are. */
const plannerOptions = '-c jit=off -c random_page_cost=1.5 -c max_parallel_workers_per_gather=0'

/** Opens a pool. Connection loss never ends the process: statements reject, the pool reconnects. */
export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    application_name: options.applicationName,
    options: plannerOptions,
    max: options.maxConnections,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 5_000,
    statement_timeout: options.statementTimeoutMs ?? 30_000,
    // A server that vanished without closing the connection never reports its own timeout.
    query_timeout: (options.statementTimeoutMs ?? 30_000) + 5_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
  })
  pool.on('error', (error) => options.onError?.(error))
  // A client in use that loses its connection says so itself, too; without a listener that would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined))

  const timed = async <T>(work: Promise<T>): Promise<T> => {
    if (!options.onQuery) return work
    const startedAt = performance.now()
    try {
      return await work
    } finally {
      options.onQuery(performance.now() - startedAt)
    }
  }
  const querier = (client: pg.Pool | pg.PoolClient): Querier => ({
    rows: async <Row extends object>(statement: Sql) => (await timed(client.query(statement))).rows as Row[],
    row: async <Row extends object>(statement: Sql) => {
      const { rows } = await timed(client.query(statement))
      if (rows.length > 1) throw new Error(`expected one row, got ${rows.length}: ${statement.sql}`)
      return rows[0] as Row | undefined
    },
    run: async (statement: Sql) => (await timed(client.query(statement))).rowCount ?? 0,
    prepared: async <Row extends object>(name: string, text: string, values: readonly unknown[]) =>
      (await timed(client.query({ name, text, values: [...values] }))).rows as Row[],
  })

  const transaction = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const client = await pool.connect()
      let broken: Error | undefined
      const onError = (error: Error) => (broken = error)
      client.on('error', onError)
      let hasBegun = false
      try {
        await client.query('begin')
        hasBegun = true
        const result = await work({ ...querier(client), inTransaction: true })
        await client.query('commit')
        return result
      } catch (error) {
        await client.query('rollback').catch((failure: Error) => (broken = failure))
        // A connection that died while it was idle shows at its first use, where nothing has been done yet.
        if (attempt < 4 && (isRetryable(error) || (!hasBegun && isDatabaseUnavailable(error)))) continue
        throw error
      } finally {
        client.off('error', onError)
        client.release(broken)
      }
    }
  }

  const listen: Database['listen'] = async (channel, onNotify) => {
    let stopped = false
    let client: pg.Client | undefined
    let retry: NodeJS.Timeout | undefined
    const connect = async (): Promise<void> => {
      const next = new pg.Client({
        connectionString: options.connectionString,
        application_name: `${options.applicationName} listen`,
        connectionTimeoutMillis: 5_000,
        keepAlive: true,
      })
      const lost = () => {
        if (stopped || client !== next) return
        client = undefined
        retry = setTimeout(() => void reconnect(), 500)
      }
      next.on('error', lost)
      next.on('end', lost)
      next.on('notification', (message) => onNotify(message.payload ?? ''))
      try {
        await next.connect()
        await next.query(`listen ${pg.escapeIdentifier(channel)}`)
      } catch (error) {
        void next.end().catch(() => undefined)
        throw error
      }
      if (stopped) await next.end()
      else client = next
    }
    const reconnect = async (): Promise<void> => {
      try {
        await connect()
        onNotify('')
      } catch {
        client = undefined
        if (!stopped) retry = setTimeout(() => void reconnect(), 1_000)
      }
    }
    await connect()
    return async () => {
      stopped = true
      clearTimeout(retry)
      await client?.end()
    }
  }

  return {
    ...querier(pool),
    pool,
    transaction,
    listen,
    stats: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      max: options.maxConnections,
    }),
    end: () => pool.end(),
  }
}

const sqlState = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

const isRetryable = (error: unknown): boolean => ['40001', '40P01'].includes(sqlState(error))

/** Shutting down, starting, too many connections, out of memory, statement or idle time-out, read-only after a failover. */
const awayStates = new Set(['57P01', '57P02', '57P03', '57P05', '53300', '53200', '57014', '25P03', '25006'])
const awayErrnos = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])
/** A missing file is ENOENT, too, and a client that hung up ECONNRESET; only these calls concern a connection. */
const awaySyscalls = new Set(['connect', 'read', 'write', 'getaddrinfo'])
const syscallOf = (error: unknown): string =>
  error instanceof Error && 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : ''

/** The database cannot be reached or is starting or stopping: worth a 503 and another try, not a bug. */
export const isDatabaseUnavailable = (error: unknown): boolean => {
  const state = sqlState(error)
  return (
    state.startsWith('08') ||
    awayStates.has(state) ||
    (awayErrnos.has(state) && awaySyscalls.has(syscallOf(error))) ||
    (error instanceof Error &&
      /Connection terminated|timeout exceeded when trying to connect|is not queryable|Query read timeout/.test(
        error.message,
      ))
  )
}

export const isUniqueViolation = (error: unknown): boolean => sqlState(error) === '23505'
export const isForeignKeyViolation = (error: unknown): boolean => sqlState(error) === '23503'
