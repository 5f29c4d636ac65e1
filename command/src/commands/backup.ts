import { parseArgs } from 'node:util'
import { createBackup } from '@dam/ops/src/backup/create-backup.ts'
import { gigabytes } from '@dam/ops/src/backup/disk-room.ts'
import { withEnvironmentDatabase } from '@dam/ops/src/backup/environment-database.ts'
import { verifyBackup } from '@dam/ops/src/backup/verify-backup.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { chooseEnvironment, interruption, progressLine, releaseOf } from '../backup-place.ts'
import { CommandFailure } from '../failure.ts'
import { operationsPlace } from '../operations.ts'

export const help = `
Usage: ./dam backup [<environment>] [--verify] [--json] [--host <folder>]

Backs up the database and every original, as they are at one moment, while DAM is used. The dump is in PostgreSQL's custom
format (pg_restore reads it); originals are shared between backups and are hard links where the file system allows it.
With --verify everything is read again and compared with its checksum. Ctrl-C stops it and leaves nothing.

./dam backups lists backups, ./dam restore brings one back, ./dam drill restore proves that it can.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { verify: { type: 'boolean' }, json: { type: 'boolean' }, host: { type: 'string' } },
  })
  if (positionals.length > 1) throw new CommandFailure('Name one environment: ./dam backup production')
  const place = operationsPlace(values.host)
  const environment = chooseEnvironment(place, positionals[0])
  const signal = interruption()
  using store = openStore(place.opsDir)
  using say = progressLine()
  const { backupsDir } = place
  let backup = await withEnvironmentDatabase(environment, (connectionString) =>
    createBackup(
      { store, backupsDir, connectionString },
      { environment, kind: 'manual', now: new Date(), release: releaseOf(environment, store), signal, say },
    ),
  )
  if (values.verify) backup = await verifyBackup({ store, backupsDir }, backup.id, { now: new Date(), signal, say })
  say[Symbol.dispose]()
  if (values.json) console.log(JSON.stringify(backup, null, 2))
  else {
    const { facts } = backup
    console.log(`${backup.state === 'corrupt' ? '✗' : '✓'} ${backup.id} ${backup.state}`)
    console.log(
      `  database   ${gigabytes(facts.dumpBytes ?? 0)} packed, ${(facts.rows ?? 0).toLocaleString('en')} rows, schema ${backup.schemaNumber}`,
    )
    console.log(`  originals  ${(facts.originals ?? 0).toLocaleString('en')}, ${gigabytes(facts.originalBytes ?? 0)}`)
    console.log(`  took       ${((facts.tookMs ?? 0) / 1000).toFixed(1)} s`)
    console.log(`  folder     ${backup.folder}`)
    if (backup.message) console.log(`! ${backup.message}`)
  }
  return backup.state === 'corrupt' ? 1 : 0
}
