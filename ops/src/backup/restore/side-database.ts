import { escapeIdentifier } from 'pg'
import { connect, onDatabase } from '../connect.ts'

/** A statement on the server, from its database `postgres` or, where nobody may connect to that, from the given one. */
export async function onServer<T>(
  connectionString: string,
  work: (client: Awaited<ReturnType<typeof connect>>) => Promise<T>,
): Promise<T> {
  const admin = await connect(onDatabase(connectionString, 'postgres'), 'restore').catch(() =>
    connect(onDatabase(connectionString, 'template1'), 'restore'),
  )
  try {
    return await work(admin)
  } finally {
    await admin.end()
  }
}

/**
 * Creates an empty database beside the given one; resolves with its connection string. Where an administrator put the extension that an
 * ordinary user may not create into `template1`, it comes from there.
 */
export async function createSideDatabase(connectionString: string, name: string): Promise<string> {
  const template = (await hasGuardedExtension(connectionString)) ? 'template1' : 'template0'
  await onServer(connectionString, async (admin) => {
    try {
      await admin.query(`create database ${escapeIdentifier(name)} template ${template} encoding 'UTF8'`)
    } catch (error) {
      const state = codeOf(error)
      if (state === '42P04')
        throw new Error(`There is a database ${name} already. Name another one, or drop it first.`, { cause: error })
      if (state !== '42501') throw error
      throw new Error(
        `The database user may not create databases, which a restore needs: the backup goes into one of its own before it takes the place of the live one. Let an administrator of the server run: alter role ${new URL(connectionString).username || 'dam'} createdb;`,
        { cause: error },
      )
    }
  })
  return onDatabase(connectionString, name)
}

async function hasGuardedExtension(connectionString: string): Promise<boolean> {
  let client: Awaited<ReturnType<typeof connect>>
  try {
    client = await connect(onDatabase(connectionString, 'template1'), 'restore')
  } catch {
    // Nobody may connect to it: then it is of no use here.
    return false
  }
  try {
    const { rowCount } = await client.query(`select from pg_extension where extname = 'pg_stat_statements'`)
    return rowCount === 1
  } finally {
    await client.end()
  }
}

export async function dropDatabase(connectionString: string, name: string): Promise<void> {
  await onServer(connectionString, (admin) =>
    admin.query(`drop database if exists ${escapeIdentifier(name)} with (force)`),
  )
}

export async function databaseExists(connectionString: string, name: string): Promise<boolean> {
  return onServer(
    connectionString,
    async (admin) => (await admin.query('select from pg_database where datname = $1', [name])).rowCount === 1,
  )
}

export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')
