import type { ClientBase } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import type { TableToCopy } from '../dump/tables.ts'

/** Reads a table as COPY gives it and throws it away. */
export async function copyAway(client: ClientBase, table: TableToCopy): Promise<void> {
  for await (const _ of client.query(copyTo(`copy ${table.fullName} (${table.columns}) to stdout`))) continue
}
