import { parseArgs } from 'node:util'
import { listBackups } from '@dam/ops/src/backup/backup-store.ts'
import { gigabytes } from '@dam/ops/src/backup/disk-room.ts'
import { verifyBackup } from '@dam/ops/src/backup/verify-backup.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { interruption, isEnvironmentName, progressLine } from '../backup-place.ts'
import { CommandFailure } from '../failure.ts'
import { operationsPlace } from '../operations.ts'
import { tableText } from '../table.ts'

export const help = `
Usage: ./dam backups [<environment>] [--json] [--host <folder>]
       ./dam backups verify <backup>

Lists the backups of this machine, newest first. verify reads every byte of one, with its originals, and ends with 1 when
one is not as it was written.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean' }, host: { type: 'string' } },
  })
  const place = operationsPlace(values.host)
  using store = openStore(place.opsDir)
  const [verb, subject] = positionals
  if (verb === 'verify') {
    if (subject === undefined) throw new CommandFailure('Which one? ./dam backups verify <backup>')
    using say = progressLine()
    const backup = await verifyBackup({ store, backupsDir: place.backupsDir }, subject, {
      now: new Date(),
      signal: interruption(),
      say,
    })
    say[Symbol.dispose]()
    console.log(
      backup.state === 'verified'
        ? `✓ ${backup.id}: every byte is as it was written.`
        : `✗ ${backup.id}: ${backup.message}`,
    )
    return backup.state === 'verified' ? 0 : 1
  }
  if (verb !== undefined && !isEnvironmentName(place, verb)) throw new CommandFailure(help.trim())
  const backups = listBackups(store, verb).filter(({ state }) => state !== 'deleted')
  if (values.json) console.log(JSON.stringify(backups, null, 2))
  else {
    const rows = backups.map(({ id, state, sizeBytes, facts, message }) => [
      id,
      state,
      facts.kind,
      facts.release,
      gigabytes(sizeBytes),
      facts.originals,
      message,
    ])
    console.log(tableText(['backup', 'state', 'kind', 'release', 'size', 'originals', 'note'], rows))
  }
  return 0
}
