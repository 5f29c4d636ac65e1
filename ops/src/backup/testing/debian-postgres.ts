import { execFile } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const installed = '/usr/lib/postgresql'

/** Folder of the programs of a complete PostgreSQL that this machine has from its packages, the oldest one; null where there is none. */
export const debianPrograms: string | null =
  (existsSync(installed) ? readdirSync(installed) : [])
    .toSorted((a, b) => Number(a) - Number(b))
    .map((version) => path.join(installed, version, 'bin'))
    .find((folder) =>
      ['initdb', 'pg_ctl', 'pg_restore', 'pg_dump'].every((program) => existsSync(path.join(folder, program))),
    ) ?? null

export type DebianPostgres = AsyncDisposable & { connectionString: string; program: (name: string) => string }

/** An empty server of that PostgreSQL, gone when disposed. It does not run as root, so then it runs as its package's user. */
export async function debianPostgres(): Promise<DebianPostgres> {
  if (debianPrograms === null) throw new Error('This machine has no PostgreSQL of its own.')
  const program = (name: string) => path.join(debianPrograms ?? '', name)
  const home = mkdtempSync(path.join(tmpdir(), 'dam-pg-'))
  const identity = process.getuid?.() === 0 ? await identityOf('postgres') : null
  if (identity) chownSync(home, identity.uid, identity.gid)
  const as = { ...identity, cwd: home, env: { LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin' } }
  const port = await freePort()
  const data = path.join(home, 'data')
  await run(program('initdb'), ['-D', data, '-U', 'dam', '-A', 'trust', '-E', 'UTF8', '-N'], as)
  const settings = `-p ${port} -k ${home} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_preload_libraries=pg_stat_statements`
  await run(program('pg_ctl'), ['-D', data, '-w', '-l', path.join(home, 'log'), '-o', settings, 'start'], as)
  return {
    connectionString: `postgresql://dam@127.0.0.1:${port}/postgres`,
    program,
    [Symbol.asyncDispose]: async () => {
      await run(program('pg_ctl'), ['-D', data, '-w', '-m', 'immediate', 'stop'], as)
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function identityOf(user: string): Promise<{ uid: number; gid: number }> {
  const number = async (what: string) => Number((await run('id', [what, user])).stdout)
  return { uid: await number('-u'), gid: await number('-g') }
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
