import { unfinishedFlag } from '../../lib/unfinished-uploads.ts'

/** Uploads under way, in IndexedDB, so that a reload finds them. File handles can be stored there; files cannot outlive it. */
export type RememberedUpload = {
  id: string
  filename: string
  relativePath: string
  size: number
  collection: number | null
  checksum: string | null
  handle: FileSystemFileHandle | null
}

const storeName = 'uploads'
let opened: Promise<IDBDatabase> | undefined

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('dam-uploads', 1)
    request.onupgradeneeded = () => request.result.createObjectStore(storeName, { keyPath: 'id' })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB could not be opened.'))
  })
  return opened
}

async function write(change: (store: IDBObjectStore) => void): Promise<void> {
  const transaction = (await open()).transaction(storeName, 'readwrite')
  change(transaction.objectStore(storeName))
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onerror = () => reject(transaction.error ?? new Error('IndexedDB refused to write.'))
  })
}

export function remember(uploads: readonly RememberedUpload[]): Promise<void> {
  if (uploads.length > 0) localStorage.setItem(unfinishedFlag, '1')
  return write((store) => uploads.forEach((upload) => store.put(upload)))
}

export function forget(ids: readonly string[]): Promise<void> {
  return write((store) => ids.forEach((id) => store.delete(id)))
}

export async function remembered(): Promise<RememberedUpload[]> {
  const transaction = (await open()).transaction(storeName, 'readonly')
  return new Promise((resolve, reject) => {
    const request = transaction.objectStore(storeName).getAll()
    request.onsuccess = () => {
      const uploads = request.result as RememberedUpload[]
      if (uploads.length === 0) localStorage.removeItem(unfinishedFlag)
      resolve(uploads)
    }
    request.onerror = () => reject(request.error ?? new Error('IndexedDB could not be read.'))
  })
}
