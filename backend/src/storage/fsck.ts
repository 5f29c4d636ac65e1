import { open, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { sql, type Querier } from '@dam/platform/database'
import { blobPath, isBlobFolder } from './blob-store.ts'
import { hashFile } from './hash-file.ts'
import { errnoOf, storageUnavailable } from './storage-fault.ts'

export type FsckFinding = {
  sha256: string
  expectedBytes: number | null
  actualBytes: number | null
  assetIds: number[]
}

/** What the database says about originals against what the disk holds. Nothing is changed. */
export type FsckReport = {
  rows: number
  files: number
  bytes: number
  hashed: number
  /** Rows without a file: lost originals. */
  missing: FsckFinding[]
  sizeMismatch: FsckFinding[]
  checksumMismatch: FsckFinding[]
  /** Files that no row knows, older than `untrackedAfterMs`. */
  untracked: FsckFinding[]
  /** Files among the originals that are not ours by name. */
  foreign: string[]
}

export const isSound = (report: FsckReport): boolean =>
  report.missing.length + report.sizeMismatch.length + report.checksumMismatch.length === 0

type Found = { sizeBytes: number; changedAtMs: number }

/**
 * Compares folder by folder, so memory holds 1/256 of a library. `hash` reads every byte. Throws `storage-unavailable` when the folder
 * of originals is not the one we know: that every file is missing is then no finding at all.
 */
export async function fsck(
  deps: { database: Querier; blobsFolder: string },
  options: {
    hash?: boolean
    untrackedAfterMs?: number
    nowMs?: number
    onProgress?: (done: number, of: number) => void
  } = {},
): Promise<FsckReport> {
  const { blobsFolder, database } = deps
  const report: FsckReport = {
    rows: 0,
    files: 0,
    bytes: 0,
    hashed: 0,
    missing: [],
    sizeMismatch: [],
    checksumMismatch: [],
    untracked: [],
    foreign: [],
  }
  const oldest = (options.nowMs ?? Date.now()) - (options.untrackedAfterMs ?? 60 * 60_000)
  if (!(await isBlobFolder(blobsFolder)) && !(await database.row(sql`select from blob limit 1`))) return report
  for (let n = 0; n < 256; n++) {
    if (!(await isBlobFolder(blobsFolder))) throw storageUnavailable(new Error('the folder of originals is gone'))
    const outer = n.toString(16).padStart(2, '0')
    const files = await filesBelow(path.join(blobsFolder, outer), report.foreign)
    const rows = await database.rows<{ sha256: string; sizeBytes: number }>(sql`
      select sha256, size_bytes as "sizeBytes" from blob where sha256 >= ${outer} and sha256 < ${`${outer}g`} order by sha256`)
    for (const { sha256, sizeBytes } of rows) {
      report.rows++
      const file = files.get(sha256) ?? (await look(blobPath(blobsFolder, sha256)))
      files.delete(sha256)
      const finding = (actualBytes: number | null): FsckFinding => ({
        sha256,
        expectedBytes: sizeBytes,
        actualBytes,
        assetIds: [],
      })
      if (!file) {
        report.missing.push(finding(null))
        continue
      }
      report.files++
      report.bytes += file.sizeBytes
      if (file.sizeBytes !== sizeBytes) report.sizeMismatch.push(finding(file.sizeBytes))
      else if (options.hash) {
        report.hashed++
        if (!(await hasChecksum(blobPath(blobsFolder, sha256), sha256)))
          report.checksumMismatch.push(finding(file.sizeBytes))
      }
    }
    for (const [sha256, file] of files) {
      report.files++
      report.bytes += file.sizeBytes
      if (file.changedAtMs < oldest)
        report.untracked.push({ sha256, expectedBytes: null, actualBytes: file.sizeBytes, assetIds: [] })
    }
    options.onProgress?.(n + 1, 256)
  }
  if (!(await isBlobFolder(blobsFolder)))
    throw storageUnavailable(new Error('the folder of originals went away during the check'))
  for (const finding of [...report.missing, ...report.sizeMismatch, ...report.checksumMismatch]) {
    const rows = await database.rows<{ id: number }>(
      sql`select id from asset where sha256 = ${finding.sha256} order by id limit 100`,
    )
    finding.assetIds = rows.map(({ id }) => id)
  }
  return report
}

async function filesBelow(outer: string, foreign: string[]): Promise<Map<string, Found>> {
  const files = new Map<string, Found>()
  for (const inner of await entriesOf(outer)) {
    for (const name of await entriesOf(path.join(outer, inner))) {
      const file = path.join(outer, inner, name)
      const found = await look(file)
      if (!found) continue
      if (/^[0-9a-f]{64}$/.test(name) && name.startsWith(path.basename(outer) + inner)) files.set(name, found)
      else foreign.push(path.join(path.basename(outer), inner, name))
    }
  }
  return files
}

const entriesOf = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: unknown): string[] => {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return []
    throw error
  })

async function look(file: string): Promise<Found | undefined> {
  try {
    const { size, ctimeMs, mtimeMs } = await stat(file)
    return { sizeBytes: size, changedAtMs: Math.max(ctimeMs, mtimeMs) }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function hasChecksum(file: string, sha256: string): Promise<boolean> {
  try {
    await using handle = await open(file, 'r')
    return (await hashFile(handle)).sha256 === sha256
  } catch (error) {
    if (errnoOf(error) === 'EIO') return false
    throw error
  }
}
