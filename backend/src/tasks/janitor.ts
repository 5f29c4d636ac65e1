import { readdir, rm, stat, truncate } from 'node:fs/promises'
import path from 'node:path'
import { sql, type Database } from '@dam/platform/database'
import type { Log } from '@dam/platform/log'
import type { BlobStore } from '../storage/blob-store.ts'
import { lockBlob } from '../storage/blob-lock.ts'
import { fsck, type FsckReport } from '../storage/fsck.ts'
import type { UploadLocks } from '../uploads/upload-lock.ts'
import { deleteExpired, deleteOldUploads, findLive } from '../uploads/upload-store.ts'

export type JanitorDeps = { database: Database; blobs: BlobStore; locks: UploadLocks; log: Log }

export type JanitorLimits = {
  /** Incoming files that no upload knows are removed when they have not changed for this long. */
  untrackedIncomingMs: number
  /** Originals that no row knows are put into quarantine after this long. */
  untrackedBlobMs: number
  /** Quarantined files are deleted after this long. */
  quarantineMs: number
}

export const usualLimits: JanitorLimits = {
  untrackedIncomingMs: 60 * 60_000,
  untrackedBlobMs: 24 * 60 * 60_000,
  quarantineMs: 30 * 24 * 60 * 60_000,
}

/** A sweep that wants to move more originals than this many and than this share of them is a sign of a mistake, not of litter. */
const mostMoved = 100
const mostMovedShare = 0.01

export type Swept = { expiredUploads: number; removedIncoming: number; truncatedIncoming: number }

/** The upload that a file with this name belongs to, if it is one of an upload. */
const idOf = (name: string): string | undefined =>
  /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.\d+)?$/.exec(name)?.[1]

/** Ends uploads that nobody continued and removes incoming bytes that belong to nothing. Never touches an upload in progress or an original. */
export async function sweepIncoming(deps: JanitorDeps, limits: JanitorLimits, nowMs = Date.now()): Promise<Swept> {
  const { database, blobs, locks } = deps
  const swept: Swept = { expiredUploads: 0, removedIncoming: 0, truncatedIncoming: 0 }
  const expired = await deleteExpired(database, 1000)
  swept.expiredUploads = expired.length
  for (const name of expired) await blobs.discardIncoming(name)
  await deleteOldUploads(database)

  const names = await readdir(blobs.folders.incoming)
  for (let at = 0; at < names.length; at += 1000) {
    const batch = names.slice(at, at + 1000)
    const ids = batch.map(idOf).filter((id) => id !== undefined)
    const live = new Map((await findLive(database, ids)).map((row) => [row.incomingName, row]))
    for (const name of batch) {
      const id = idOf(name)
      if (id !== undefined && locks.isHeld(id)) continue
      const file = path.join(blobs.folders.incoming, name)
      const found = await stat(file).catch(() => undefined)
      if (!found?.isFile() || nowMs - Math.max(found.mtimeMs, found.ctimeMs) < limits.untrackedIncomingMs) continue
      const upload = live.get(name)
      if (upload === undefined) {
        await rm(file, { force: true })
        swept.removedIncoming++
      } else if (found.size > upload.offsetBytes && found.nlink === 1 && !upload.fileDisputed) {
        await using lock = await locks.tryTake(upload.id)
        const row = lock?.row
        if (row?.offsetBytes !== upload.offsetBytes || row.fileDisputed) continue
        await truncate(file, upload.offsetBytes)
        swept.truncatedIncoming++
      }
    }
  }
  return swept
}

/**
 * Compares rows and originals. A row without its file is the gravest thing this product knows and is logged as that; a file without a
 * row goes to quarantine, unless there are so many that something else must be wrong. A missing file never changes a row.
 */
export async function sweepBlobs(
  deps: JanitorDeps,
  limits: JanitorLimits,
  nowMs = Date.now(),
): Promise<FsckReport & { quarantined: number; stopped: boolean }> {
  const { database, blobs, log } = deps
  const report = await fsck(
    { database, blobsFolder: blobs.folders.blobs },
    { untrackedAfterMs: limits.untrackedBlobMs, nowMs },
  )
  for (const { sha256, assetIds } of [...report.missing, ...report.sizeMismatch].slice(0, 100)) {
    log.error('an original is missing or has another size', {
      checksum: sha256,
      asset_ids: assetIds,
      code: 'original-damaged',
    })
  }
  if (report.missing.length > 100)
    log.error(`${report.missing.length} originals are missing`, { code: 'original-damaged' })
  const stopped = report.untracked.length > Math.max(mostMoved, report.files * mostMovedShare)
  if (stopped) {
    log.error(
      `${report.untracked.length} of ${report.files} originals are unknown to the database; none was moved. Is this the right database for this data folder?`,
      { code: 'janitor-stopped' },
    )
    return { ...report, quarantined: 0, stopped }
  }
  let quarantined = 0
  for (const { sha256 } of report.untracked) {
    const moved = await database.transaction(async (tx) => {
      await lockBlob(tx, sha256, 'release')
      if (await tx.row(sql`select sha256 from blob where sha256 = ${sha256}`)) return false
      return blobs.quarantine(sha256)
    })
    if (moved) quarantined++
  }
  if (quarantined > 0)
    log.warn(`${quarantined} files that no asset knows were put into quarantine`, { folder: blobs.folders.quarantine })
  await emptyQuarantine(deps, limits, nowMs)
  return { ...report, quarantined, stopped }
}

async function emptyQuarantine({ blobs }: JanitorDeps, limits: JanitorLimits, nowMs: number): Promise<void> {
  for (const name of await readdir(blobs.folders.quarantine)) {
    const file = path.join(blobs.folders.quarantine, name)
    const found = await stat(file).catch(() => undefined)
    if (found?.isFile() && nowMs - found.ctimeMs > limits.quarantineMs) await rm(file, { force: true })
  }
}
