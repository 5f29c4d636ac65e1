/** The life of one file on its way in. Pure: what is allowed to follow what, and what comes next. */
export type UploadState =
  | 'interrupted' // began before a reload; its bytes are not at hand
  | 'waiting' // to be hashed
  | 'hashing'
  | 'checking' // the server is asked whether it has these bytes
  | 'duplicate'
  | 'queued'
  | 'uploading'
  | 'retrying' // the server is away or busy: goes on by itself
  | 'paused'
  | 'failed'
  | 'done'

export type Duplicate = { id: number; label: string; filename: string; thumbnail_url: string | null }

export type UploadItem = {
  id: string
  file: File | null
  handle: FileSystemFileHandle | null
  filename: string
  /** Path inside what was dropped, with the file's name; folders become collections. */
  relativePath: string
  size: number
  collection: number | null
  checksum: string | null
  /** Of a server-side upload that can be continued. */
  uploadUrl: string | null
  state: UploadState
  /** Where `paused` goes on. */
  pausedFrom: UploadState | null
  /** Bytes hashed while hashing, else bytes stored. */
  progress: number
  error: string | null
  duplicate: Duplicate | null
  assetId: number | null
  attempts: number
}

export type UploadEvent =
  | { kind: 'file-found'; file: File }
  | { kind: 'hash-begun' }
  | { kind: 'hashed'; checksum: string }
  | { kind: 'known'; duplicate: Duplicate }
  | { kind: 'unknown' }
  | { kind: 'send-begun' }
  | { kind: 'progress'; bytes: number }
  | { kind: 'interrupted'; error: string }
  | { kind: 'stored'; assetId: number | null }
  | { kind: 'failed'; error: string }
  | { kind: 'retry' }
  | { kind: 'pause' }
  | { kind: 'resume' }

const allowed: Record<UploadEvent['kind'], readonly UploadState[]> = {
  'file-found': ['interrupted'],
  'hash-begun': ['waiting'],
  hashed: ['hashing'],
  known: ['checking'],
  unknown: ['checking'],
  'send-begun': ['queued', 'retrying'],
  progress: ['hashing', 'uploading', 'retrying'],
  interrupted: ['uploading', 'queued', 'retrying'],
  stored: ['uploading', 'retrying', 'duplicate'],
  failed: ['waiting', 'hashing', 'checking', 'queued', 'uploading', 'retrying', 'duplicate'],
  retry: ['failed'],
  pause: ['waiting', 'hashing', 'checking', 'queued', 'uploading', 'retrying'],
  resume: ['paused'],
}

/** The item after an event; the same item where the event means nothing in its state (late answers of aborted work). */
export function advance(item: UploadItem, event: UploadEvent): UploadItem {
  if (!allowed[event.kind].includes(item.state)) return item
  switch (event.kind) {
    case 'file-found':
      return { ...item, file: event.file, state: 'waiting', error: null }
    case 'hash-begun':
      return { ...item, state: 'hashing', progress: 0 }
    case 'hashed':
      return { ...item, state: 'checking', checksum: event.checksum, progress: 0 }
    case 'known':
      return { ...item, state: 'duplicate', duplicate: event.duplicate }
    case 'unknown':
      return { ...item, state: 'queued' }
    case 'send-begun':
      return { ...item, state: 'uploading', error: null }
    case 'progress':
      return {
        ...item,
        state: item.state === 'hashing' ? 'hashing' : 'uploading',
        progress: Math.min(event.bytes, item.size),
        attempts: item.state !== 'hashing' && event.bytes > item.progress ? 0 : item.attempts,
      }
    case 'interrupted':
      return { ...item, state: 'retrying', error: event.error, attempts: item.attempts + 1 }
    case 'stored':
      return { ...item, state: 'done', progress: item.size, error: null, assetId: event.assetId }
    case 'failed':
      return { ...item, state: 'failed', error: event.error }
    case 'retry':
      return {
        ...item,
        state: item.file ? (item.checksum ? 'checking' : 'waiting') : 'interrupted',
        error: null,
        attempts: 0,
        progress: 0,
      }
    case 'pause': {
      const from: UploadState =
        item.state === 'hashing'
          ? 'waiting'
          : item.state === 'uploading' || item.state === 'retrying'
            ? 'queued'
            : item.state
      return { ...item, state: 'paused', pausedFrom: from }
    }
    case 'resume':
      return { ...item, state: item.pausedFrom ?? 'waiting', pausedFrom: null }
  }
}

export const isUnfinished = (item: UploadItem): boolean =>
  item.state !== 'done' && item.state !== 'duplicate' && item.state !== 'failed'
/** Leaving the page now would interrupt it. */
export const isUnderWay = (item: UploadItem): boolean =>
  isUnfinished(item) && item.state !== 'interrupted' && item.state !== 'paused'

/** Files to begin sending: in order, while fewer than `limit` are. Equal bytes wait for the first of them. */
export function nextToSend(items: readonly UploadItem[], limit: number): UploadItem[] {
  const sending = items.filter((item) => item.state === 'uploading' || item.state === 'retrying').length
  return items.filter((item) => item.state === 'queued').slice(0, Math.max(0, limit - sending))
}

/** Hashed files to ask the server about. One whose bytes are being sent by another waits: it will be a duplicate. */
export function nextToCheck(items: readonly UploadItem[], limit: number): UploadItem[] {
  const onTheWay = new Set(
    items
      .filter((item) => ['queued', 'uploading', 'retrying', 'paused'].includes(item.state))
      .map((item) => item.checksum),
  )
  const chosen: UploadItem[] = []
  for (const item of items) {
    if (chosen.length >= limit) break
    if (item.state !== 'checking' || onTheWay.has(item.checksum)) continue
    onTheWay.add(item.checksum)
    chosen.push(item)
  }
  return chosen
}

export type UploadSummary = {
  total: number
  done: number
  failed: number
  duplicates: number
  interrupted: number
  paused: number
  active: number
  retrying: number
  bytes: number
  bytesDone: number
}

export function summarise(items: readonly UploadItem[]): UploadSummary {
  const summary: UploadSummary = {
    total: items.length,
    done: 0,
    failed: 0,
    duplicates: 0,
    interrupted: 0,
    paused: 0,
    active: 0,
    retrying: 0,
    bytes: 0,
    bytesDone: 0,
  }
  for (const item of items) {
    summary.bytes += item.size
    if (item.state === 'done') summary.done += 1
    else if (item.state === 'failed') summary.failed += 1
    else if (item.state === 'duplicate') summary.duplicates += 1
    else if (item.state === 'interrupted') summary.interrupted += 1
    else if (item.state === 'paused') summary.paused += 1
    else summary.active += 1
    if (item.state === 'retrying') summary.retrying += 1
    if (item.state === 'done' || item.state === 'duplicate' || item.state === 'failed') summary.bytesDone += item.size
    else if (item.state === 'uploading' || item.state === 'retrying' || item.state === 'interrupted')
      summary.bytesDone += item.progress
  }
  return summary
}

/** Waits before the next attempt, ms: doubling up to 20 s. */
export function retryDelayMs(attempts: number): number {
  return Math.min(20_000, 1000 * 2 ** Math.max(0, attempts - 1))
}

/** Bytes per second over the last samples `[timeMs, bytes]`; null until two seconds are known. */
export function speedOf(samples: readonly (readonly [number, number])[]): number | null {
  const first = samples[0]
  const last = samples.at(-1)
  if (!first || !last || last[0] - first[0] < 2000) return null
  return Math.max(0, (last[1] - first[1]) / ((last[0] - first[0]) / 1000))
}

/** Folders of a path: `Campaign/2024/a.jpg` is `['Campaign', '2024']`. */
export function foldersOf(relativePath: string): string[] {
  return relativePath.split('/').slice(0, -1).filter(Boolean)
}

const interest: Record<UploadState, number> = {
  uploading: 0,
  retrying: 0,
  hashing: 0,
  failed: 1,
  interrupted: 2,
  paused: 2,
  checking: 3,
  queued: 3,
  waiting: 3,
  duplicate: 4,
  done: 5,
}

/** What moves and what needs a person first, then what waits, then what is settled. */
export function inOrderOfInterest(items: readonly UploadItem[]): UploadItem[] {
  const groups: UploadItem[][] = [[], [], [], [], [], []]
  for (const item of items) groups[interest[item.state]]!.push(item)
  return groups.flat()
}
