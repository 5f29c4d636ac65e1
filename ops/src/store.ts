import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { readMigrations } from '@dam/platform/migrate'
import { migrateStore } from './store-migrations.ts'

/** A value that SQLite takes; undefined is a mistake and not one of them. */
export type Value = string | number | bigint | null | Uint8Array

/**
 * The operations' own store: one SQLite file that several processes read and write, independent of the application's database.
 * Every commit is on the disk before it returns. All methods are synchronous.
 */
export type Store = Disposable & {
  rows<Row extends object>(sql: string, ...values: Value[]): Row[]
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller states the type of its rows
  row<Row extends object>(sql: string, ...values: Value[]): Row | undefined
  /** Number of rows it touched. */
  run(sql: string, ...values: Value[]): number
  /** Id of the new row. */
  insert(sql: string, ...values: Value[]): number
  /** All or nothing; takes the write lock at once. `work` must not await. A transaction inside one joins it. */
  transaction<T>(work: () => T): T
  close(): void
}

export const storeMigrationsDir = fileURLToPath(new URL('../migrations', import.meta.url))

/** Opens the store in `folder` (created when missing, closed to others) and brings its schema up to date. Durability `none` is for tests. */
export function openStore(folder: string, options: { durability: 'full' | 'none' } = { durability: 'full' }): Store {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = new DatabaseSync(path.join(folder, 'ops.sqlite'), { timeout: 10_000, enableForeignKeyConstraints: true })
  file.exec(`pragma journal_mode = wal; pragma synchronous = ${options.durability === 'full' ? 'full' : 'off'}`)
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  const prepared = (sql: string) => {
    const statement = statements.get(sql) ?? file.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  let isInTransaction = false
  const store: Store = {
    rows: <Row extends object>(sql: string, ...values: SQLInputValue[]) => prepared(sql).all(...values) as Row[],
    row: (sql: string, ...values: SQLInputValue[]) => prepared(sql).get(...values) as never,
    run: (sql, ...values) => Number(prepared(sql).run(...values).changes),
    insert: (sql, ...values) => Number(prepared(sql).run(...values).lastInsertRowid),
    transaction: (work) => {
      if (isInTransaction) return work()
      file.exec('begin immediate')
      isInTransaction = true
      try {
        const result = work()
        file.exec('commit')
        return result
      } catch (error) {
        if (file.isTransaction) file.exec('rollback')
        throw error
      } finally {
        isInTransaction = false
      }
    },
    close: () => {
      if (file.isOpen) file.close()
    },
    [Symbol.dispose]: () => store.close(),
  }
  try {
    migrateStore(file, readMigrations(storeMigrationsDir))
  } catch (error) {
    file.close()
    throw error
  }
  return store
}

/**
 * Works on the schema of the store in `folder` without bringing it up to date first; the store is not made when it is missing.
 * `null`: there is none.
 */
export function withStoreFile<T>(folder: string, work: (file: DatabaseSync) => T): T | null {
  const name = path.join(folder, 'ops.sqlite')
  if (!existsSync(name)) return null
  const file = new DatabaseSync(name, { timeout: 10_000 })
  try {
    return work(file)
  } finally {
    file.close()
  }
}
