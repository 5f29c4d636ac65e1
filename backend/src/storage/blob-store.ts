import { randomUUID } from 'node:crypto'
import {
  constants,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  copyFile,
  writeFile,
  type FileHandle,
} from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '@dam/contract'
import type { Log } from '@dam/platform/log'
import { createFolderSync } from './folder-sync.ts'
import { hashFile } from './hash-file.ts'
import { IncomingFile } from './incoming-file.ts'
import { errnoOf, storageFault, storageUnavailable } from './storage-fault.ts'

export type BlobStoreOptions = {
  /** All on one file system. */
  folders: { blobs: string; incoming: string; quarantine: string }
  /** True when the database knows of stored bytes, so that an empty folder means a disk that is not there. */
  expectBlobs: boolean
  log: Log
}

export type Published = { sha256: string; sizeBytes: number }

const sentinelName = '.dam-blobs'
/** Originals up to this size are hashed before they are served, unless that happened within the hour. */
const verifyUpToBytes = 32 * 1024 * 1024
const verifiedForMs = 60 * 60_000
const mostVerified = 20_000

/** Where an original lies below the folder of originals. */
export const blobPath = (folder: string, sha256: string): string =>
  path.join(folder, sha256.slice(0, 2), sha256.slice(2, 4), sha256)

/** Whether this is a folder of originals of ours and not, say, the empty place where its disk should be mounted. */
export const isBlobFolder = (folder: string): Promise<boolean> =>
  stat(path.join(folder, sentinelName)).then(
    () => true,
    () => false,
  )

/**
 * Originals on disk: `blobs/ab/cd/<sha256>`, written once, never moved, never changed. Bytes arrive in `incoming/<upload id>` and get their
 * place by a hard link, so until `discardIncoming` a crash leaves both names and the same step can be done again.
 */
export class BlobStore {
  readonly folders: BlobStoreOptions['folders']
  readonly #log: Log
  readonly #syncFolder = createFolderSync()
  /** Folders whose own entry is known to be durable. */
  readonly #durableFolders = new Set<string>()
  readonly #verified = new Map<string, number>()
  #writesStoppedBy: unknown

  private constructor(options: BlobStoreOptions) {
    this.folders = options.folders
    this.#log = options.log
  }

  /** Makes the folders on first use. Throws when incoming files could not be moved among the originals without copying them. */
  static async open(options: BlobStoreOptions): Promise<BlobStore> {
    const store = new BlobStore(options)
    const { blobs, incoming, quarantine } = options.folders
    await Promise.all([incoming, quarantine].map((folder) => mkdir(folder, { recursive: true })))
    const entries = await readdir(blobs).catch((): string[] => [])
    if (!entries.includes(sentinelName) && !(await otherProcessPrepares(blobs, entries))) {
      if (options.expectBlobs || entries.some((name) => /^[0-9a-f]{2}$/.test(name))) {
        options.log.error(
          'the folder of originals is not the one that was used before; nothing is written or read until it is back',
          { folder: blobs, code: 'storage-unavailable' },
        )
        return store
      }
      await prepare(blobs)
    }
    const [ours, theirs] = await Promise.all([stat(blobs), stat(incoming)])
    if (ours.dev !== theirs.dev) {
      throw new Error(
        `${incoming} and ${blobs} are on different file systems. Put the whole data folder on the larger one, or make ${incoming} a folder of it too (bind mount).`,
      )
    }
    await store.#syncFolder(path.dirname(incoming))
    return store
  }

  blobPath(sha256: string): string {
    return blobPath(this.folders.blobs, sha256)
  }

  /** `name` is the upload's id, or begins with it. */
  incomingPath(name: string): string {
    return path.join(this.folders.incoming, name)
  }

  /** False when the folder of originals is gone, for example because its disk is not mounted. */
  async isMounted(): Promise<boolean> {
    return isBlobFolder(this.folders.blobs)
  }

  /** Whether originals can be read and written. */
  async isReady(): Promise<boolean> {
    return this.#writesStoppedBy === undefined && (await this.isMounted())
  }

  /** Why the store takes no new bytes until the process is restarted, if so. */
  get writesStoppedBy(): unknown {
    return this.#writesStoppedBy
  }

  /** Free and total bytes of the file system. */
  async space(): Promise<{ freeBytes: number; totalBytes: number }> {
    const { bavail, blocks, bsize } = await this.#guard(() => statfs(this.folders.incoming))
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  }

  /** Opens the incoming file of an upload for appending at `offsetBytes`; whatever a crash left behind that is cut off. */
  async openIncoming(uploadId: string, offsetBytes: number, crc32: number): Promise<IncomingFile> {
    await this.#demandWritable()
    return this.#guard(async () => {
      const file = this.incomingPath(uploadId)
      const handle = await this.#openForAppend(file, offsetBytes)
      return new IncomingFile({
        handle,
        sizeBytes: offsetBytes,
        crc32,
        beforeFirstSync: () => this.#syncFolder(this.folders.incoming),
        onSyncFailed: (error) => this.#stopWrites(error),
      })
    })
  }

  /** Makes the first bytes of one incoming file durable under another name; the file itself may be written to meanwhile, after them. */
  async copyIncoming(from: string, to: string, bytes: number): Promise<void> {
    await this.#demandWritable()
    await this.#guard(async () => {
      if (bytes === 0) return
      const target = this.incomingPath(to)
      await copyFile(this.incomingPath(from), target, constants.COPYFILE_FICLONE)
      await using copy = await open(target, 'r+')
      await copy.truncate(bytes)
      await this.#sync(copy)
      await this.#syncFolder(this.folders.incoming)
    })
  }

  /**
   * Gives the incoming bytes their place among the originals, durably, after reading them back. Throws `checksum-mismatch` when the
   * disk returns other bytes than arrived or than the client declared. Can be repeated; bytes that are there already are checked and kept.
   */
  async publish(
    uploadId: string,
    expected: { sizeBytes: number; crc32: number; sha256?: string | null },
  ): Promise<Published> {
    await this.#demandWritable()
    return this.#guard(async () => {
      const source = this.incomingPath(uploadId)
      await using handle = await open(source, 'r')
      const [digest] = await Promise.all([hashFile(handle), this.#sync(handle)])
      if (digest.sizeBytes !== expected.sizeBytes || digest.crc32 !== expected.crc32) {
        this.#log.error('the disk gave back other bytes than were written to it; the upload was refused', {
          upload: uploadId,
          code: 'storage-corruption',
          expected,
          digest,
        })
        throw new Problem(
          'checksum-mismatch',
          'The bytes that the disk holds are not the ones that were sent. Upload the file again, and tell an administrator.',
        )
      }
      if (expected.sha256 && digest.sha256 !== expected.sha256) {
        throw new Problem(
          'checksum-mismatch',
          'The file that arrived does not have the checksum that was declared for it. It changed on the way or while it was read; upload it again.',
          {
            details: { declared: expected.sha256, received: digest.sha256 },
          },
        )
      }
      await this.#place(source, digest.sha256)
      return { sha256: digest.sha256, sizeBytes: digest.sizeBytes }
    })
  }

  async discardIncoming(uploadId: string): Promise<void> {
    await this.#guard(() => rm(this.incomingPath(uploadId), { force: true }))
  }

  /** Whether the original is there with this size. Throws `storage-unavailable` when the whole folder is gone. */
  async has(sha256: string, sizeBytes: number): Promise<boolean> {
    const found = await stat(this.blobPath(sha256)).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw storageFault(error)
    })
    if (!found && !(await this.isMounted())) throw storageUnavailable(new Error('sentinel missing'))
    return found?.size === sizeBytes
  }

  /**
   * Opens an original for reading. Throws `storage-unavailable` when the folder is gone and `internal-error` when the file is missing
   * or is not what it was: damaged bytes are never served.
   */
  async openOriginal(sha256: string, sizeBytes: number): Promise<FileHandle> {
    const handle = await this.#guard(() =>
      open(this.blobPath(sha256), 'r').catch((error: unknown) => this.#explainMissing(error, sha256)),
    )
    try {
      const actual = (await handle.stat()).size
      if (actual !== sizeBytes) throw this.#damaged(sha256, `has ${actual} bytes instead of ${sizeBytes}`)
      if (sizeBytes <= verifyUpToBytes && (this.#verified.get(sha256) ?? 0) < performance.now()) {
        const digest = await hashFile(handle)
        if (digest.sha256 !== sha256) throw this.#damaged(sha256, 'has another checksum')
        this.#rememberVerified(sha256)
      }
      return handle
    } catch (error) {
      await handle.close()
      throw storageFault(error)
    }
  }

  /** Takes an original out of its place without destroying it. */
  async quarantine(sha256: string): Promise<boolean> {
    return this.#guard(async () => {
      const target = path.join(this.folders.quarantine, `${sha256}.${randomUUID()}`)
      try {
        await rename(this.blobPath(sha256), target)
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return false
        throw error
      }
      this.#verified.delete(sha256)
      await Promise.all([this.#syncFolder(this.#leafOf(sha256)), this.#syncFolder(this.folders.quarantine)])
      return true
    })
  }

  #leafOf(sha256: string): string {
    return path.dirname(this.blobPath(sha256))
  }

  async #openForAppend(file: string, offsetBytes: number): Promise<FileHandle> {
    if (offsetBytes === 0) {
      await rm(file, { force: true })
      return open(file, 'wx+')
    }
    const handle = await open(file, 'r+').catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error
      if (!(await this.isMounted())) throw storageUnavailable(error)
      throw new Error(`the incoming file ${file} is gone although ${offsetBytes} bytes of it were acknowledged`, {
        cause: error,
      })
    })
    try {
      const { size, nlink } = await handle.stat()
      if (size < offsetBytes)
        throw new Error(`the incoming file ${file} has ${size} bytes although ${offsetBytes} were acknowledged`)
      if (size === offsetBytes) return handle
      if (nlink === 1) {
        await handle.truncate(offsetBytes)
        return handle
      }
    } catch (error) {
      await handle.close()
      throw error
    }
    // These very bytes are an original already: cut a copy instead.
    await handle.close()
    const copy = `${file}.copy`
    await copyFile(file, copy)
    await rename(copy, file)
    const fresh = await open(file, 'r+')
    await fresh.truncate(offsetBytes)
    return fresh
  }

  async #place(source: string, sha256: string): Promise<void> {
    const leaf = this.#leafOf(sha256)
    const target = path.join(leaf, sha256)
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#link(source, target)
        break
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') {
          if (await this.#keepOrRepair(source, target, sha256)) break
          if (attempt > 10) throw error
          continue
        }
        if (errnoOf(error) !== 'ENOENT' || attempt > 3) throw error
        if (!(await this.isMounted())) throw storageUnavailable(error)
        this.#durableFolders.delete(leaf)
        await mkdir(leaf, { recursive: true })
      }
    }
    const parents = this.#durableFolders.has(leaf) ? [] : [path.dirname(leaf), this.folders.blobs]
    await Promise.all([leaf, ...parents].map((folder) => this.#syncOrStop(this.#syncFolder(folder))))
    this.#durableFolders.add(leaf)
    this.#rememberVerified(sha256)
  }

  async #link(source: string, target: string): Promise<void> {
    try {
      await link(source, target)
    } catch (error) {
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errnoOf(error))) throw error
      await this.#copyInto(source, target)
    }
  }

  /** For file systems without hard links, and over a damaged original. */
  async #copyInto(source: string, target: string): Promise<void> {
    const copy = path.join(this.folders.incoming, `${randomUUID()}.copy`)
    await copyFile(source, copy)
    await using handle = await open(copy, 'r+')
    await this.#sync(handle)
    await rename(copy, target)
  }

  /** False when the original was released between our finding it and our opening it. */
  async #keepOrRepair(source: string, target: string, sha256: string): Promise<boolean> {
    const handle = await open(target, 'r').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    })
    if (!handle) return false
    await using existing = handle
    const digest = await hashFile(existing)
    if (digest.sha256 === sha256) {
      await this.#sync(existing)
      return true
    }
    this.#log.error('a damaged original was replaced by the same file uploaded again', {
      checksum: sha256,
      code: 'storage-corruption',
    })
    await this.#copyInto(source, target)
    return true
  }

  async #demandWritable(): Promise<void> {
    if (this.#writesStoppedBy !== undefined) throw storageUnavailable(this.#writesStoppedBy)
    if (!(await this.isMounted()))
      throw storageUnavailable(
        new Error(`${path.join(this.folders.blobs, sentinelName)} is missing: is the disk mounted?`),
      )
  }

  async #sync(handle: FileHandle): Promise<void> {
    await this.#syncOrStop(handle.sync())
  }

  async #syncOrStop(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#stopWrites(error)
      throw error
    }
  }

  #stopWrites(error: unknown): void {
    if (['ENOSPC', 'EDQUOT'].includes(errnoOf(error)) || this.#writesStoppedBy !== undefined) return
    this.#writesStoppedBy = error
    this.#log.error(
      'the disk could not make bytes durable; no uploads are taken until DAM is restarted on a sound disk',
      { error, code: 'storage-unavailable' },
    )
  }

  async #explainMissing(error: unknown, sha256: string): Promise<never> {
    if (errnoOf(error) !== 'ENOENT') throw error
    if (!(await this.isMounted())) throw storageUnavailable(error)
    throw this.#damaged(sha256, 'is missing')
  }

  #damaged(sha256: string, what: string): Problem {
    this.#log.error(`an original ${what}`, { checksum: sha256, code: 'original-damaged' })
    return new Problem(
      'internal-error',
      'The stored original is damaged, so it is not delivered. An administrator has been told; the file can be restored from a backup or uploaded again.',
      {
        details: { checksum: sha256 },
      },
    )
  }

  #rememberVerified(sha256: string): void {
    this.#verified.delete(sha256)
    this.#verified.set(sha256, performance.now() + verifiedForMs)
    if (this.#verified.size > mostVerified) this.#verified.delete(this.#verified.keys().next().value as string)
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw storageFault(error)
    }
  }
}

/** First use: the 256 outer folders and the sentinel that says this is the disk we know. */
/** On the very first start two processes may find the folder at once: the later one waits for the sentinel of the earlier. */
async function otherProcessPrepares(blobs: string, entries: readonly string[]): Promise<boolean> {
  if (entries.length === 0 || entries.length > 256) return false
  for (let tries = 0; tries < 40; tries++) {
    await sleep(50)
    if ((await readdir(blobs)).includes(sentinelName)) return true
  }
  return false
}

async function prepare(blobs: string): Promise<void> {
  await mkdir(blobs, { recursive: true })
  for (let n = 0; n < 256; n++) await mkdir(path.join(blobs, n.toString(16).padStart(2, '0')), { recursive: true })
  const sentinel = path.join(blobs, sentinelName)
  await writeFile(
    sentinel,
    `${randomUUID()}\nDAM stops reading and writing originals when this file is missing: it tells a mounted disk from an empty folder.\n`,
    { flush: true },
  )
  await using folder = await open(blobs, 'r')
  await folder.sync()
  await using parent = await open(path.dirname(blobs), 'r')
  await parent.sync()
}
