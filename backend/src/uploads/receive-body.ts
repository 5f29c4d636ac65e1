import type { Hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { IncomingFile } from '../storage/incoming-file.ts'

/**
 * `complete`: the body ended. `cut`: the connection did. `silent`: nothing or next to nothing came for too long. `interrupted`: the signal.
 * `too-long`: more came than is allowed; what was over is not in the file.
 */
export type ReceptionEnd = 'complete' | 'cut' | 'silent' | 'interrupted' | 'too-long'
export type Reception = { receivedBytes: number; end: ReceptionEnd }

export type ReceiveOptions = {
  source: Readable
  file: IncomingFile
  mostBytes: number
  signal?: AbortSignal
  hash?: Hash | undefined
  /** Called when `everyBytes` more are durable, or fewer after `everyMs`. */
  checkpoint?: { everyBytes: number; everyMs: number; commit: () => Promise<void> } | undefined
  idleMs?: number
}

const batchBytes = 512 * 1024
const mostPendingBytes = 1024 * 1024
/** No byte for this long ends a body. */
export const idleAfterMs = 30_000
/** A body slower than this over a minute only keeps the connection busy. */
const leastBytesPerMinute = 4 * 1024

/** Writes a request body to the end of the file, reading on while it writes, never holding more than about two MiB. Not synced at return. */
export async function receiveBody(options: ReceiveOptions): Promise<Reception> {
  const { source, file, signal, hash, checkpoint } = options
  let pending: Buffer[] = []
  let pendingBytes = 0
  let end: ReceptionEnd | undefined
  let wake = (): void => undefined
  const finish = (how: ReceptionEnd): void => {
    end ??= how
    wake()
  }

  const pulse = createPulse(
    options.idleMs ?? idleAfterMs,
    () => !source.isPaused(),
    () => finish('silent'),
  )
  const onData = (chunk: Buffer): void => {
    pending.push(chunk)
    pendingBytes += chunk.length
    pulse.beat(chunk.length)
    if (pendingBytes >= mostPendingBytes) source.pause()
    if (pendingBytes >= batchBytes) wake()
  }
  const onEnd = (): void => finish('complete')
  const onCut = (): void => finish('cut')
  const onInterrupt = (): void => finish('interrupted')

  source.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut)
  signal?.addEventListener('abort', onInterrupt, { once: true })
  if (source.readableEnded) onEnd()
  else if (source.destroyed) onCut()
  if (signal?.aborted) onInterrupt()

  let receivedBytes = 0
  let uncommittedBytes = 0
  let committedAt = performance.now()
  let isDue = false
  const clock =
    checkpoint &&
    setInterval(() => {
      if (performance.now() - committedAt < checkpoint.everyMs || pendingBytes + uncommittedBytes === 0) return
      isDue = true
      wake()
    }, checkpoint.everyMs / 4)
  try {
    for (;;) {
      if (pendingBytes < batchBytes && end === undefined && !isDue) {
        await new Promise<void>((resolve) => (wake = resolve))
        continue
      }
      if (pendingBytes === 0 && end !== undefined) return { receivedBytes, end }
      const batch = pending
      const bytes = pendingBytes
      pending = []
      pendingBytes = 0
      if (receivedBytes + bytes > options.mostBytes) return { receivedBytes, end: 'too-long' }
      if (source.isPaused() && end === undefined) source.resume()
      if (hash) for (const chunk of batch) hash.update(chunk)
      if (batch.length > 0) await file.append(batch)
      for (const chunk of batch) giveBack(chunk)
      receivedBytes += bytes
      uncommittedBytes += bytes
      if (checkpoint && (uncommittedBytes >= checkpoint.everyBytes || isDue)) {
        await file.sync()
        await checkpoint.commit()
        uncommittedBytes = 0
        committedAt = performance.now()
        isDue = false
      }
    }
  } finally {
    clearInterval(clock)
    pulse.stop()
    signal?.removeEventListener('abort', onInterrupt)
    source.off('data', onData).off('end', onEnd).off('close', onCut)
    source.pause()
  }
}

/**
 * Frees the memory of a chunk at once. Left to the garbage collector, the chunks of a 3 MB body cost it about as much time as everything
 * else here together: memory outside the heap makes it run early. Chunks that share their memory are left alone.
 */
function giveBack(chunk: Buffer): void {
  if (chunk.byteLength === chunk.buffer.byteLength && chunk.buffer instanceof ArrayBuffer) chunk.buffer.transfer(0)
}

/** Watches that bytes keep coming while the stream is not held back by us. */
export function createPulse(idleMs: number, isWaiting: () => boolean, onSilent: () => void) {
  let lastAt = performance.now()
  let windowStartedAt = lastAt
  let windowBytes = 0
  const timer = setInterval(
    () => {
      const now = performance.now()
      if (!isWaiting()) lastAt = windowStartedAt = now
      if (now - lastAt >= idleMs) return onSilent()
      if (now - windowStartedAt < 60_000) return
      if (windowBytes < leastBytesPerMinute) return onSilent()
      windowStartedAt = now
      windowBytes = 0
    },
    Math.max(20, Math.min(1_000, idleMs / 4)),
  )
  return {
    beat: (bytes: number): void => {
      lastAt = performance.now()
      windowBytes += bytes
    },
    stop: (): void => clearInterval(timer),
  }
}
