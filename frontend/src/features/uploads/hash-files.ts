// oxlint-disable-next-line import/default -- made by the bundler
import workerUrl from './hash-worker.ts?worker&url'
import type { HashAnswer, HashRequest } from './hash-worker.ts'

type TrustedTypes = {
  createPolicy: (
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ) => { createScriptURL: (url: string) => string }
}

/** The page's security policy lets scripts be loaded only through a named rule; this one knows a single address. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  if (!trustedTypes) return url
  policy ??= trustedTypes.createPolicy('dam-worker', {
    createScriptURL(candidate) {
      if (candidate !== workerUrl) throw new TypeError('Only the worker of this application may be loaded.')
      return candidate
    },
  })
  return policy.createScriptURL(url)
}
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined
let worker: Worker | undefined

type Waiting = {
  resolve: (checksum: string) => void
  reject: (error: Error) => void
  onProgress: (bytes: number) => void
}
const waiting = new Map<string, Waiting>()

function start(): Worker {
  if (worker) return worker
  worker = new Worker(trusted(workerUrl), { type: 'module' })
  worker.addEventListener('message', (event: MessageEvent<HashAnswer>) => {
    const entry = waiting.get(event.data.id)
    if (!entry) return
    if ('progress' in event.data) return entry.onProgress(event.data.progress)
    waiting.delete(event.data.id)
    if ('checksum' in event.data) entry.resolve(event.data.checksum)
    else entry.reject(new Error(event.data.error))
  })
  worker.addEventListener('error', (event) => {
    const error = new Error(event.message || 'The part of DAM that computes checksums could not be started.')
    for (const entry of waiting.values()) entry.reject(error)
    waiting.clear()
    worker = undefined
  })
  return worker
}

/** SHA-256 of a file, hexadecimal, computed off the main thread. */
export function hashFile(id: string, file: File, onProgress: (bytes: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject, onProgress })
    start().postMessage({ id, file } satisfies HashRequest)
  })
}
