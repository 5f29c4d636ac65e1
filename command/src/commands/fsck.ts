import { parseArgs } from 'node:util'
import { dataFolders } from '@dam/backend/src/config.ts'
import { fsck, isSound, type FsckReport } from '@dam/backend/src/storage/fsck.ts'
import { Problem } from '@dam/contract'
import { openDatabase } from '@dam/platform/database'
import { chosenConfig, chosenOptions } from '../chosen-config.ts'
import { withDatabase } from '../database-access.ts'
import { CommandFailure } from '../failure.ts'

export const help = `
Usage: ./dam fsck [--quick] [--json] [--environment <name>] [--host <folder>]

Compares what the database says about originals with what the disk holds: files that are missing, have another size or
another checksum, and files that no asset knows. Reads every byte unless --quick. Changes nothing, also while DAM runs.

Ends with 1 when an original is missing or damaged.
`

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { ...chosenOptions, quick: { type: 'boolean' }, json: { type: 'boolean' } },
  })
  const { config } = chosenConfig(values)
  const { blobs } = dataFolders(config)
  const report = await withDatabase(config, async (connectionString) => {
    const database = openDatabase({ connectionString, applicationName: 'dam: fsck', maxConnections: 2 })
    const onProgress = process.stderr.isTTY && !values.json ? showProgress : undefined
    try {
      return await fsck(
        { database, blobsFolder: blobs },
        { hash: !values.quick, ...(onProgress ? { onProgress } : {}) },
      )
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      throw new CommandFailure(
        `The folder of originals ${blobs} is not there, although the database knows of originals. Mount its disk, or set DAM_DATA to the right folder.`,
      )
    } finally {
      await database.end()
    }
  })
  if (values.json) console.log(JSON.stringify({ sound: isSound(report), ...report }, null, 2))
  else print(report)
  return isSound(report) ? 0 : 1
}

const showProgress = (done: number, of: number): void =>
  void process.stderr.write(`\r${Math.round((done / of) * 100)} %${done === of ? '\n' : ''}`)

function print(report: FsckReport): void {
  console.log(
    `${report.rows} originals in the database, ${report.files} files, ${(report.bytes / 1e9).toFixed(2)} GB${report.hashed > 0 ? `, ${report.hashed} read and compared with their checksum` : ''}.`,
  )
  const kinds = [
    ['missing', report.missing],
    ['has another size', report.sizeMismatch],
    ['has another checksum', report.checksumMismatch],
    ['not known to the database', report.untracked],
  ] as const
  for (const [what, findings] of kinds) {
    for (const { sha256, assetIds } of findings)
      console.log(`✗ ${sha256} ${what}${assetIds.length > 0 ? `; asset ${assetIds.join(', ')}` : ''}`)
  }
  for (const file of report.foreign) console.log(`! ${file} is not one of ours`)
  if (!isSound(report))
    console.log(
      '\n→ Restore the files named ✗ from a backup into the folder of originals, or upload them again: the same file heals its original.',
    )
  else console.log('All originals are there and sound.')
}
