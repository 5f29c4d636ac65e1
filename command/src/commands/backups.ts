import { parseArgs } from 'node:util'
import { listBackups } from '@dam/ops/src/backup/backup-store.ts'
import { gigabytes } from '@dam/ops/src/backup/disk-room.ts'
import { withEnvironmentDatabase } from '@dam/ops/src/backup/environment-database.ts'
import { pruneBackups } from '@dam/ops/src/backup/prune-backups.ts'
import { dropReplacedDatabases } from '@dam/ops/src/backup/restore/swap-database.ts'
import { verifyBackup } from '@dam/ops/src/backup/verify-backup.ts'
import { fetchBackup } from '@dam/ops/src/backup/off-machine/fetch-backup.ts'
import { openTarget } from '@dam/ops/src/backup/off-machine/open-target.ts'
import { sendBackup } from '@dam/ops/src/backup/off-machine/send-backup.ts'
import { openStore, type Store } from '@dam/ops/src/store.ts'
import { interruption, isEnvironmentName, progressLine } from '../backup-place.ts'
import { shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { type OperationsPlace, operationsPlace } from '../operations.ts'
import { tableText } from '../table.ts'

export const help = `
Usage: ./dam backups [<environment>] [--json] [--host <folder>]
       ./dam backups verify <backup>
       ./dam backups prune
       ./dam backups send <backup> --to <target>
       ./dam backups fetch <backup> --from <target>     ./dam backups list --from <target>

Lists the backups of this machine, newest first. prune deletes what need not be kept: everything of 24 hours stays, then one
for each of 7 days, 4 weeks and 12 months, the newest verified one, and what a deployment refers to. verify reads every byte of one, with its originals, and ends with 1 when
one is not as it was written.

send brings one to another place, fetch brings it back to this host, which may be empty; only what is missing travels and
every byte is compared on arrival. Targets: s3://bucket/prefix?endpoint=https://…&region=… (AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY from the environment, or &credentials=file:/path), rsync://host/module, user@host:/path, /a/folder.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean' }, host: { type: 'string' }, to: { type: 'string' }, from: { type: 'string' } },
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
  if (verb === 'send' || verb === 'fetch' || verb === 'list') return await travel(place, store, positionals, values)
  if (verb === 'prune') {
    const { deleted, originalsRemoved, bytesFreed } = await pruneBackups(
      { store, backupsDir: place.backupsDir },
      { now: new Date() },
    )
    for (const environment of place.environments)
      await withEnvironmentDatabase(environment, async (connectionString) => {
        for (const name of await dropReplacedDatabases(connectionString, new Date()))
          console.log(`${environment.name}: database ${name} from before a restore dropped`)
      })
    console.log(
      `${deleted.length} backups deleted, ${originalsRemoved} originals that none refers to removed, ${gigabytes(bytesFreed)} freed.`,
    )
    return 0
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

async function travel(
  place: OperationsPlace,
  store: Store,
  [verb, subject]: readonly string[],
  { to, from }: { to?: string; from?: string },
): Promise<number> {
  const address = verb === 'send' ? to : from
  if (address === undefined || (verb !== 'list' && subject === undefined)) throw new CommandFailure(help.trim())
  const target = openTarget(address, shellEnvironment)
  if (verb === 'list') {
    for (const id of await target.list()) console.log(id)
    return 0
  }
  const { backupsDir } = place
  const signal = interruption()
  using say = progressLine()
  if (verb === 'send') {
    const sent = await sendBackup({ store, backupsDir }, subject ?? '', target, { now: new Date(), signal, say })
    say[Symbol.dispose]()
    console.log(
      `✓ ${subject} is at ${target.name}: ${sent.files} files, ${gigabytes(sent.bytes)} sent, ${sent.alreadyThere} were there.`,
    )
  } else {
    const backup = await fetchBackup({ store, backupsDir }, subject ?? '', target, { signal, say })
    say[Symbol.dispose]()
    console.log(`✓ ${backup.id} is here: ./dam restore ${backup.id}`)
  }
  return 0
}
