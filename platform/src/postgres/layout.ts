import { createHash, randomBytes, randomInt } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const databaseName = 'dam_db'
export const databaseUser = 'dam'

/** Where everything of the built-in PostgreSQL is, all below `<data directory>/postgres`. */
export type PostgresLayout = {
  homeDir: string
  clusterDir: string
  logFile: string
  lockFile: string
  passwordFile: string
  pgpassFile: string
  portFile: string
  programsDir: string
}

export function postgresLayout(dataDir: string): PostgresLayout {
  const homeDir = join(dataDir, 'postgres')
  return {
    homeDir,
    clusterDir: join(homeDir, 'cluster'),
    logFile: join(homeDir, 'postgres.log'),
    lockFile: join(homeDir, 'lock'),
    passwordFile: join(homeDir, 'password'),
    pgpassFile: join(homeDir, 'pgpass'),
    portFile: join(homeDir, 'port'),
    programsDir: join(homeDir, 'programs'),
  }
}

/** Creates the home folder, closed to others, and returns the layout with links in the path resolved. */
export function createLayout(dataDir: string): PostgresLayout {
  mkdirSync(postgresLayout(dataDir).homeDir, { recursive: true, mode: 0o700 })
  return postgresLayout(realpathSync(dataDir))
}

/** The password of the database user, made once for each data directory. */
export function readOrCreatePassword(layout: PostgresLayout): string {
  const existing = readTrimmed(layout.passwordFile)
  if (existing) return existing
  const password = randomBytes(24).toString('base64url')
  writeReplacing(layout.passwordFile, `${password}\n`)
  return password
}

/** The port of last time when there was one and it is free, else a free one, remembered. */
export async function choosePort(layout: PostgresLayout): Promise<number> {
  const remembered = rememberedPort(layout)
  if (remembered !== null && (await isPortFree(remembered))) return remembered
  for (;;) {
    // Below the range from which the kernel hands out ports to outgoing connections.
    const port = randomInt(20_000, 30_000)
    if (!(await isPortFree(port))) continue
    writeReplacing(layout.portFile, `${port}\n`)
    return port
  }
}

export function rememberedPort(layout: PostgresLayout): number | null {
  const port = Number(readTrimmed(layout.portFile))
  return Number.isInteger(port) && port > 0 ? port : null
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

/** A password file for `psql` and other libpq programs. */
export function writePgpass(layout: PostgresLayout, port: number, password: string): void {
  writeReplacing(layout.pgpassFile, `127.0.0.1:${port}:*:${databaseUser}:${password}\n`)
}

/**
 * The folder for the socket: in the home folder when the kernel's limit on the length of a socket's path (104 bytes
 * on macOS, 108 on Linux) allows it, else a closed folder of ours in the system's temporary one.
 */
export function socketDir(layout: PostgresLayout, options: { short: boolean }): string {
  const beside = join(layout.homeDir, 'run')
  const fits = Buffer.byteLength(`${beside}/.s.PGSQL.65535`) <= 103
  const dir = fits && !options.short ? beside : join(tmpdir(), `dam-postgres-${hash(layout.homeDir)}`)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  return dir
}

/** A folder in a place that everyone can write to is used only when it is ours: nobody may have put it there for us. */
export function assertOurs(dir: string, uid: number): void {
  const stats = lstatSync(dir)
  if (!stats.isDirectory() || (stats.uid !== uid && stats.uid !== process.getuid?.())) {
    throw new Error(`${dir} belongs to another user (${stats.uid}). Remove it, or set TMPDIR to a folder of your own.`)
  }
  if (stats.uid !== uid) chownSync(dir, uid, uid)
  chmodSync(dir, 0o700)
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

export function readTrimmed(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

/** Replaces a small private file in one step, so that a cut never leaves half of it. */
export function writeReplacing(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, text, { mode: 0o600 })
  renameSync(unfinished, path)
}

/** `socket` for our own processes (no TCP to pay for), `tcp` for people's tools. */
export function connectionString(options: {
  password: string
  port: number
  database: string
  socketDir?: string
}): string {
  const base = `postgresql://${databaseUser}:${encodeURIComponent(options.password)}@127.0.0.1:${options.port}/${options.database}`
  return options.socketDir ? `${base}?host=${encodeURIComponent(options.socketDir)}` : base
}
