import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

export type HashRequest = { id: string; file: File }
export type HashAnswer = { id: string } & ({ progress: number } | { checksum: string } | { error: string })

/** Up to here the browser's own digest is faster than streaming; above, a file must not be held in memory. */
const digestLimitBytes = 64 * 1024 * 1024
const sliceBytes = 4 * 1024 * 1024

const answer = (message: HashAnswer): void => postMessage(message)

async function checksumOf(id: string, file: File): Promise<string> {
  // The browser offers its digest to secure origins only.
  if (file.size <= digestLimitBytes && 'subtle' in crypto) {
    return bytesToHex(new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer())))
  }
  const hasher = sha256.create()
  for (let start = 0; start < file.size; start += sliceBytes) {
    hasher.update(new Uint8Array(await file.slice(start, start + sliceBytes).arrayBuffer()))
    answer({ id, progress: Math.min(file.size, start + sliceBytes) })
  }
  return bytesToHex(hasher.digest())
}

addEventListener('message', (event: MessageEvent<HashRequest>) => {
  const { id, file } = event.data
  checksumOf(id, file).then(
    (checksum) => answer({ id, checksum }),
    (error: unknown) => answer({ id, error: error instanceof Error ? error.message : String(error) }),
  )
})
