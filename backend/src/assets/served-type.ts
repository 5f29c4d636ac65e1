import { canonicalExtension } from '../ingest/media-types.ts'

/** What a browser may show by itself: nothing that can hold script or load anything. */
const safeInline = new Set([
  'image/jpeg',
  'image/png',
  'image/apng',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/bmp',
  'image/jxl',
  'image/heic',
  'image/heif',
  'video/mp4',
  'video/x-m4v',
  'video/quicktime',
  'video/webm',
  'video/ogg',
  'video/x-matroska',
  'audio/mpeg',
  'audio/mp4',
  'audio/flac',
  'audio/ogg',
  'audio/opus',
  'audio/wav',
  'audio/aac',
  'text/plain',
])

/**
 * What a page of ours would run or apply if it named the address: our policy trusts scripts and styles of our own origin, so these
 * never travel under their own name.
 */
const active = new Set([
  'text/javascript',
  'text/css',
  'text/html',
  'application/xml',
  'application/rdf+xml',
  'application/json',
])

/** Content-Type by the detected type, from our own table only, and whether the file may be shown in place. */
export function servedType(detected: string): { contentType: string; mayInline: boolean } {
  const known = canonicalExtension(detected) === '' || active.has(detected) ? 'application/octet-stream' : detected
  return {
    contentType: known.startsWith('text/') ? `${known}; charset=utf-8` : known,
    mayInline: safeInline.has(known),
  }
}

/** For everything users brought: whatever it is, it is inert. */
export const userContentHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'same-origin',
} as const
