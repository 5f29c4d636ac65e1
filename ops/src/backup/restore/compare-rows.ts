import { connect } from '../connect.ts'
import { digestRows, readTables, rowTextSettings } from '../dump/tables.ts'
import type { Manifest } from '../manifest.ts'
import { pace, type Say } from '../progress.ts'

export type TableComparison = { table: string; expectedRows: number; rows: number; isEqual: boolean }

/** Reads every row of a restored database and compares each table's count and digest with what was written down when it was dumped. */
export async function compareRows(
  connectionString: string,
  tables: Manifest['tables'],
  options: { signal?: AbortSignal; say?: Say } = {},
): Promise<TableComparison[]> {
  await using client = await connect(connectionString, 'verify')
  await client.query(rowTextSettings)
  await client.query('begin isolation level repeatable read, read only')
  const found = await readTables(client)
  const progress = pace(
    options.say,
    'verify',
    tables.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  const compared: TableComparison[] = []
  for (const expected of tables) {
    options.signal?.throwIfAborted()
    const name = `${expected.schema}.${expected.name}`
    const table = found.find((candidate) => candidate.schema === expected.schema && candidate.name === expected.name)
    const actual = table
      ? await digestRows(client, table, (bytes) => progress(name, bytes))
      : { rows: 0, digest: 'missing' }
    compared.push({
      table: name,
      expectedRows: expected.rows,
      rows: actual.rows,
      isEqual: actual.rows === expected.rows && actual.digest === expected.digest,
    })
  }
  await client.query('commit')
  return compared
}
