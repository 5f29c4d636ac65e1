import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { syntheticUsername } from '@dam/contract/synthetic'
import { hashPassword, verifyPassword } from '@dam/platform/password'

export type SyntheticAccount = { username: string; password: string }

/**
 * The account with which journeys sign in, made or mended in the environment's database. Its password is random and stands, readable
 * by the owner only, in `runDir`. It is an administrator, because only those delete for good.
 */
export async function ensureSyntheticAccount(options: {
  connectionString: string
  runDir: string
}): Promise<SyntheticAccount> {
  const password = storedPassword(options.runDir)
  const client = new pg.Client({
    connectionString: options.connectionString,
    application_name: 'dam: verification',
    connectionTimeoutMillis: 5_000,
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query<{ password_hash: string }>(
      `select password_hash from account where username = $1 and active and role = 'administrator'`,
      [syntheticUsername],
    )
    if (!rows[0] || !(await verifyPassword(password, rows[0].password_hash))) {
      await client.query(
        `insert into account (username, display_name, password_hash, role)
         values ($1, 'DAM checks itself', $2, 'administrator')
         on conflict (lower(username)) do update
           set password_hash = excluded.password_hash, role = excluded.role, active = true`,
        [syntheticUsername, await hashPassword(password)],
      )
    }
  } finally {
    await client.end()
  }
  return { username: syntheticUsername, password }
}

function storedPassword(runDir: string): string {
  const file = path.join(runDir, 'synthetic-account.password')
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  mkdirSync(runDir, { recursive: true, mode: 0o700 })
  const password = randomBytes(24).toString('base64url')
  writeFileSync(`${file}.new`, `${password}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return password
}
