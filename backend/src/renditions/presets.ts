import type { Preset } from '@dam/contract'

/** Raise it when the look of renditions changes: files of another version are made again. */
export const renditionVersion = 1

/** Boxes that renditions fit inside, pixels; nothing is ever enlarged. */
export const presetBoxes: Record<Preset, { width: number; height: number }> = {
  preview: { width: 1440, height: 1440 },
  thumbnail: { width: 480, height: 320 },
}

/** Path of a rendition below the renditions folder; derived from the original's hash, so duplicates share it. */
export const renditionFile = (sha256: string, preset: Preset, extension: string): string =>
  `${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}/${preset}-${renditionVersion}.${extension}`
