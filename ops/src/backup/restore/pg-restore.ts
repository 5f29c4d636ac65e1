import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import path from 'node:path'

/** PostgreSQL's own program, where this machine has it. */
export function findPgRestore(searchPath: string): string | null {
  for (const folder of searchPath.split(path.delimiter)) {
    const candidate = path.join(folder, 'pg_restore')
    try {
      accessSync(candidate, constants.X_OK)
      return candidate
    } catch {
      continue
    }
  }
  return null
}

/** Restores with it. The password travels in its environment, never in its arguments. */
export async function runPgRestore(
  program: string,
  file: string,
  connectionString: string,
  signal?: AbortSignal,
): Promise<void> {
  const url = new URL(connectionString)
  const environment = {
    PGPASSWORD: decodeURIComponent(url.password),
    PGUSER: decodeURIComponent(url.username),
    PGHOST: url.searchParams.get('host') ?? decodeURIComponent(url.hostname),
    PGPORT: url.port || '5432',
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    ...(url.searchParams.has('sslmode') ? { PGSSLMODE: url.searchParams.get('sslmode') ?? '' } : {}),
  }
  const child = spawn(
    program,
    ['--no-owner', '--no-privileges', '--exit-on-error', '--dbname', environment.PGDATABASE, '--', file],
    {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal ? { signal } : {}),
    },
  )
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`pg_restore ended with ${code}: ${said.trim()}`)
}
