import type { Measures } from '../ingest/types.ts'
import { limits } from './limits.ts'
import { refused } from './refusal.ts'

/** Refuses before decoding what the header says is too large for a decoder that holds all pixels. */
export function checkStatedSize({ width, height }: Pick<Measures, 'width' | 'height'>): void {
  if (!width || !height || width * height <= limits.decodedPixels) return
  throw refused(
    'too-many-pixels',
    `The picture is ${width} x ${height} pixels (${Math.round((width * height) / 1e6)} megapixels); previews of this type are made up to ${limits.decodedPixels / 1e6}. The original is kept and can be downloaded.`,
  )
}
