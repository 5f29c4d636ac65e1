import { ArchiveReader } from '../archive/archive-reader.ts'
import { assertRestorable, restoreArchive } from '../archive/restore-archive.ts'
import type { Say } from '../progress.ts'
import { findPgRestore, runPgRestore } from './pg-restore.ts'

/** Restores a dump into an empty database: ourselves, or with PostgreSQL's own program where only that can and this machine has it. */
export async function restoreDump(options: {
  connectionString: string
  file: string
  /** PATH. */
  searchPath: string
  signal?: AbortSignal
  say?: Say
}): Promise<'here' | 'pg_restore'> {
  const { connectionString, file, searchPath, signal } = options
  try {
    await using archive = await ArchiveReader.open(file)
    if (archive.header.compression === 'lz4') throw new Error('It is compressed with LZ4.')
    assertRestorable(archive.entries)
  } catch (error) {
    if (!(error instanceof Error) || 'code' in error) throw error
    const program = findPgRestore(searchPath)
    if (!program)
      throw new Error(
        `${error.message} Restoring it needs PostgreSQL's pg_restore, at least of the version that wrote it, which is not on this machine. Debian and Ubuntu: apt install postgresql-client; macOS: brew install libpq.`,
        { cause: error },
      )
    await runPgRestore(program, file, connectionString, signal)
    return 'pg_restore'
  }
  await restoreArchive(options)
  return 'here'
}
