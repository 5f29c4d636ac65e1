import type { Asset } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { api, ApiError, messageOf } from '../../lib/api.ts'
import { changeMany } from '../../lib/bulk.ts'
import { connection, reportUnreachable } from '../../lib/connection.ts'
import { formatTime } from '../../lib/format.ts'
import { createStore } from '../../lib/store.ts'
import { showToast } from '../../lib/toasts.ts'
import { collectionForFolders } from './collection-paths.ts'
import { hashFile } from './hash-files.ts'
import type { Sending } from './send-file.ts'
import { forget, remember, remembered, type RememberedUpload } from './upload-memory.ts'
import {
  advance,
  foldersOf,
  isUnderWay,
  nextToCheck,
  nextToSend,
  retryDelayMs,
  type UploadEvent,
  type UploadItem,
} from './upload-queue.ts'
import { walkDrop, type FoundFile, type TakenItem } from './walk-drop.ts'

const concurrency = 4
const checkBatch = 500
const gatherMs = 150
const notifyMs = 120
/** A server that answers, but only with errors: after so many attempts the file is given up, with the reason. */
const mostAttempts = 8

type AskPermission = (options: { mode: 'read' }) => Promise<PermissionState>
type KeptHandle = FileSystemFileHandle & { requestPermission?: AskPermission; queryPermission?: AskPermission }

/** All uploads of this page. Items are replaced, never changed; listeners are told at most a few times a second. */
class UploadManager {
  readonly version = createStore(0)
  #items: UploadItem[] = []
  #index = new Map<string, number>()
  #sending = new Map<string, Sending>()
  #pumpTimer: ReturnType<typeof setTimeout> | null = null
  #notifyTimer: ReturnType<typeof setTimeout> | null = null
  #checking = false
  #hashing = false
  #links = new Map<number, number[]>()

  constructor() {
    window.addEventListener('beforeunload', (event) => {
      if (this.#items.some(isUnderWay)) event.preventDefault()
    })
    connection.subscribe(() => this.#schedule())
  }

  get items(): readonly UploadItem[] {
    return this.#items
  }

  async addDropped(taken: readonly TakenItem[], collection: number | null): Promise<void> {
    let batch: FoundFile[] = []
    const onUnreadable = (path: string, error: unknown): void =>
      void showToast({ tone: 'danger', message: t`The file could not be read: ${messageOf(error)}`, detail: path })
    for await (const found of walkDrop(taken, onUnreadable)) {
      batch.push(found)
      if (batch.length >= 200) {
        this.addFiles(batch, collection)
        batch = []
      }
    }
    this.addFiles(batch, collection)
  }

  addFiles(files: readonly FoundFile[], collection: number | null): void {
    const added: UploadItem[] = []
    const interrupted = new Map(
      this.#items
        .filter((item) => item.state === 'interrupted')
        .map((item) => [`${item.relativePath}\n${item.size}`, item.id]),
    )
    for (const { file, relativePath, handle } of files) {
      // The same file again continues where it stopped.
      const again = interrupted.get(`${relativePath}\n${file.size}`) ?? interrupted.get(`${file.name}\n${file.size}`)
      if (again) {
        this.#apply(again, { kind: 'file-found', file })
        continue
      }
      added.push({
        id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
        file,
        handle,
        filename: file.name,
        relativePath,
        size: file.size,
        collection,
        checksum: null,
        uploadUrl: null,
        state: 'waiting',
        pausedFrom: null,
        progress: 0,
        error: null,
        duplicate: null,
        assetId: null,
        attempts: 0,
      })
    }
    this.#append(added)
    this.#remember(added)
    this.#schedule()
  }

  /** Looks for uploads that a reload interrupted, here and on the server. True where there are any. */
  async findUnfinished(): Promise<boolean> {
    const local = await remembered().catch((): RememberedUpload[] => [])
    const serverSide = await api('listUploads', {}).then(
      ({ data }) => data.results.filter((upload) => upload.state === 'receiving'),
      () => [],
    )
    const present = new Set(this.#items.map((item) => item.id))
    const blank = {
      file: null,
      pausedFrom: null,
      error: null,
      duplicate: null,
      assetId: null,
      attempts: 0,
      state: 'interrupted' as const,
    }
    const items: UploadItem[] = local
      .filter((upload) => !present.has(upload.id))
      .map((upload) => {
        const match = serverSide.find(
          (candidate) => candidate.relative_path === upload.relativePath && candidate.length === upload.size,
        )
        return {
          ...blank,
          ...upload,
          uploadUrl: match ? new URL(match.url, window.location.href).pathname : null,
          progress: match?.offset ?? 0,
        }
      })
    for (const upload of serverSide) {
      const path = upload.relative_path || upload.filename
      if (
        this.#items.some((item) => item.relativePath === path && item.size === upload.length) ||
        items.some((item) => item.relativePath === path && item.size === upload.length)
      )
        continue
      items.push({
        ...blank,
        id: upload.id,
        handle: null,
        filename: upload.filename,
        relativePath: path,
        size: upload.length ?? 0,
        collection: null,
        checksum: null,
        uploadUrl: new URL(upload.url, window.location.href).pathname,
        progress: upload.offset,
      })
    }
    this.#append(items)
    await this.continueInterrupted('if-allowed')
    return this.#items.length > 0
  }

  /** Opens interrupted files again through the handles the browser kept. `ask` may show the browser's question and needs a click. */
  async continueInterrupted(permission: 'ask' | 'if-allowed' = 'ask'): Promise<{ left: number }> {
    for (const item of this.#items.filter((candidate) => candidate.state === 'interrupted' && candidate.handle)) {
      try {
        const handle = item.handle as KeptHandle
        const state = await (permission === 'ask'
          ? handle.requestPermission?.({ mode: 'read' })
          : handle.queryPermission?.({ mode: 'read' }))
        if (state !== 'granted') break
        const file = await handle.getFile()
        if (file.size === item.size) this.#apply(item.id, { kind: 'file-found', file })
      } catch {
        // Moved or deleted meanwhile: it stays in the list as one to be dropped again.
      }
    }
    this.#schedule()
    return { left: this.#items.filter((item) => item.state === 'interrupted').length }
  }

  pause(ids?: readonly string[]): void {
    for (const item of this.#chosen(ids)) {
      void this.#sending.get(item.id)?.stop(false)
      this.#sending.delete(item.id)
      this.#apply(item.id, { kind: 'pause' })
    }
    this.#schedule()
  }

  resume(ids?: readonly string[]): void {
    for (const item of this.#chosen(ids)) this.#apply(item.id, { kind: 'resume' })
    this.#schedule()
  }

  retry(ids?: readonly string[]): void {
    for (const item of this.#chosen(ids)) this.#apply(item.id, { kind: 'retry' })
    this.#schedule()
  }

  /** Stops and takes out of the list; what the server has of it is deleted. Finished ones are only taken out. */
  remove(ids: readonly string[]): void {
    const gone = new Set(ids)
    for (const item of this.#chosen(ids)) {
      const sending = this.#sending.get(item.id)
      this.#sending.delete(item.id)
      if (sending) void sending.stop(item.state !== 'done').catch(() => undefined)
      else if (item.uploadUrl && item.state !== 'done')
        void fetch(item.uploadUrl, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } }).catch(() =>
          reportUnreachable(),
        )
    }
    this.#items = this.#items.filter((item) => !gone.has(item.id))
    this.#index = new Map(this.#items.map((item, index) => [item.id, index]))
    void forget(ids).catch(() => undefined)
    this.#notify()
    this.#schedule()
  }

  /** Makes assets of files whose bytes are already there. */
  async addAnyway(ids?: readonly string[]): Promise<void> {
    const duplicates = this.#chosen(ids).filter((item) => item.state === 'duplicate')
    for (const item of duplicates) {
      try {
        const body = {
          checksum: item.checksum,
          filename: item.filename,
          relative_path: item.relativePath,
          ...(item.collection === null ? {} : { collection: item.collection }),
        }
        // The contract's table knows the multipart form of this endpoint; its JSON form is `assetFromChecksum`.
        const { data } = (await api('createAsset', { body } as never)) as { data: Asset }
        this.#apply(item.id, { kind: 'stored', assetId: data.id })
      } catch (error) {
        this.#apply(item.id, { kind: 'failed', error: messageOf(error) })
      }
    }
  }

  #chosen(ids: readonly string[] | undefined): UploadItem[] {
    return ids ? ids.flatMap((id) => this.#get(id) ?? []) : [...this.#items]
  }

  #get(id: string): UploadItem | undefined {
    const index = this.#index.get(id)
    return index === undefined ? undefined : this.#items[index]
  }

  #append(items: readonly UploadItem[]): void {
    for (const item of items) {
      this.#index.set(item.id, this.#items.length)
      this.#items.push(item)
    }
    this.#notify()
  }

  #apply(id: string, event: UploadEvent): void {
    const index = this.#index.get(id)
    const item = index === undefined ? undefined : this.#items[index]
    if (index === undefined || !item) return
    const next = advance(item, event)
    if (next === item) return
    this.#items[index] = next
    if (next.state === 'done' || next.state === 'duplicate') void forget([id]).catch(() => undefined)
    this.#notify()
  }

  #notify(): void {
    this.#notifyTimer ??= setTimeout(() => {
      this.#notifyTimer = null
      this.version.set((now) => now + 1)
    }, notifyMs)
  }

  #remember(items: readonly UploadItem[]): void {
    // Private windows may refuse; uploading works without, only resuming after a reload needs it.
    void remember(
      items.map(({ id, filename, relativePath, size, collection, checksum, handle }) => ({
        id,
        filename,
        relativePath,
        size,
        collection,
        checksum,
        handle,
      })),
    ).catch(() => undefined)
  }

  #schedule(): void {
    this.#pumpTimer ??= setTimeout(() => {
      this.#pumpTimer = null
      void this.#hashNext()
      void this.#check()
      this.#send()
    }, 0)
  }

  async #hashNext(): Promise<void> {
    if (this.#hashing) return
    this.#hashing = true
    try {
      for (
        let item = this.#items.find((candidate) => candidate.state === 'waiting');
        item?.file;
        item = this.#items.find((candidate) => candidate.state === 'waiting')
      ) {
        const { id, file, checksum } = item
        this.#apply(id, { kind: 'hash-begun' })
        try {
          this.#apply(id, {
            kind: 'hashed',
            checksum: checksum ?? (await hashFile(id, file, (bytes) => this.#apply(id, { kind: 'progress', bytes }))),
          })
        } catch (error) {
          this.#apply(id, { kind: 'failed', error: t`The file could not be read: ${messageOf(error)}` })
        }
        this.#schedule()
      }
    } finally {
      this.#hashing = false
    }
  }

  async #check(): Promise<void> {
    if (this.#checking || connection.get() === 'unreachable') return
    this.#checking = true
    await new Promise((resolve) => setTimeout(resolve, gatherMs))
    const batch = nextToCheck(this.#items, checkBatch)
    try {
      if (batch.length > 0) {
        const { data } = await api('checkUploads', {
          body: { files: batch.map((item) => ({ checksum: item.checksum!, size: item.size })) },
        })
        const found = new Map(data.results.map((result) => [result.checksum, result.duplicate]))
        const linked: UploadItem[] = []
        for (const item of batch) {
          const duplicate = found.get(item.checksum!)
          this.#apply(item.id, duplicate ? { kind: 'known', duplicate } : { kind: 'unknown' })
          if (duplicate) linked.push(this.#get(item.id)!)
        }
        await this.#linkDuplicates(linked)
      }
    } catch (error) {
      const isTemporary =
        error instanceof ApiError && (error.status === 0 || error.status >= 500 || error.status === 429)
      if (isTemporary) setTimeout(() => this.#schedule(), 3000)
      else for (const item of batch) this.#apply(item.id, { kind: 'failed', error: messageOf(error) })
    } finally {
      this.#checking = false
      if (batch.length > 0) this.#schedule()
    }
  }

  /** A file that is already in the library still belongs to the collection of the folder it came in. */
  async #linkDuplicates(items: readonly UploadItem[]): Promise<void> {
    this.#links.clear()
    for (const item of items) {
      const folders = foldersOf(item.relativePath)
      if (!item.duplicate || (folders.length === 0 && item.collection === null)) continue
      const collection = await collectionForFolders(folders, item.collection)
      if (collection !== null) this.#links.set(collection, [...(this.#links.get(collection) ?? []), item.duplicate.id])
    }
    for (const [collection, ids] of this.#links) {
      const unique = [...new Set(ids)]
      await changeMany({ ids: unique, count: unique.length }, 'add_to_collection', { collection })
    }
  }

  #send(): void {
    for (const item of nextToSend(this.#items, concurrency)) void this.#begin(item.id)
  }

  async #begin(id: string): Promise<void> {
    this.#apply(id, { kind: 'send-begun' })
    const item = this.#get(id)
    if (!item?.file || !item.checksum || item.state !== 'uploading') return
    const { sendFile } = await import('./send-file.ts')
    const sending = await sendFile(
      { ...item, file: item.file, checksum: item.checksum },
      {
        progress: (bytes) => this.#apply(id, { kind: 'progress', bytes }),
        url: (url) => {
          const index = this.#index.get(id)
          const current = index === undefined ? undefined : this.#items[index]
          if (index !== undefined && current)
            this.#items[index] = { ...current, uploadUrl: new URL(url, window.location.href).pathname }
        },
        stored: (assetId) => {
          this.#sending.delete(id)
          this.#apply(id, { kind: 'stored', assetId })
          this.#schedule()
        },
        failed: (failure) => {
          this.#sending.delete(id)
          const current = this.#get(id)
          if (!current || current.state === 'paused') return
          if (failure.status === 0 && failure.retryable) reportUnreachable()
          const isPaused = failure.maintenanceUntil !== null
          // Maintenance ends; the file is sent then, however long it takes.
          if (failure.retryable && (failure.status === 0 || isPaused || current.attempts < mostAttempts)) {
            this.#apply(id, {
              kind: 'interrupted',
              error: isPaused
                ? pausedText(failure.maintenanceUntil)
                : failure.message || t`The server cannot be reached. Trying again by itself.`,
            })
            setTimeout(
              () => {
                if (this.#get(id)?.state === 'retrying') void this.#begin(id)
              },
              retryDelayMs(current.attempts + 1),
            )
          } else {
            this.#apply(id, { kind: 'failed', error: failure.message || t`The upload failed.` })
            this.#schedule()
          }
        },
      },
    )
    // Paused or removed while the sender was being made ready.
    if (this.#get(id)?.state === 'uploading' || this.#get(id)?.state === 'retrying') this.#sending.set(id, sending)
    else if (this.#get(id)?.state !== 'done') void sending.stop(false)
  }
}

/** `until` is empty where the end is not known. */
const pausedText = (until: string | null): string =>
  until
    ? t`Paused for maintenance until ${formatTime(until)}. Goes on by itself.`
    : t`Paused for maintenance. Goes on by itself.`

export const uploadManager = new UploadManager()
