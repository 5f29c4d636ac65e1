export type RememberedRendition = { bytes: Buffer; mimeType: string; etag: string; previewVersion: number }

/** The renditions asked for last, whole, in at most `mostBytes`. Says nothing about who may see them. */
export type RenditionMemory = {
  get(assetId: number, preset: string): RememberedRendition | undefined
  set(assetId: number, preset: string, rendition: RememberedRendition): void
}

export function createRenditionMemory(
  onRead: (hit: boolean) => void = () => undefined,
  mostBytes = 32 * 1024 * 1024,
): RenditionMemory {
  const entries = new Map<string, RememberedRendition>()
  let heldBytes = 0
  const forget = (key: string): void => {
    const entry = entries.get(key)
    if (entry && entries.delete(key)) heldBytes -= entry.bytes.length
  }
  return {
    get: (assetId, preset) => {
      const key = `${assetId}/${preset}`
      const entry = entries.get(key)
      onRead(entry !== undefined)
      if (entry) {
        entries.delete(key)
        entries.set(key, entry)
      }
      return entry
    },
    set: (assetId, preset, rendition) => {
      const key = `${assetId}/${preset}`
      forget(key)
      if (rendition.bytes.length > mostBytes / 16) return
      entries.set(key, rendition)
      heldBytes += rendition.bytes.length
      for (const oldest of entries.keys()) {
        if (heldBytes <= mostBytes) break
        forget(oldest)
      }
    },
  }
}
