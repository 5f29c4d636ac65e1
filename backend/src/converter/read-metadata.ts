import type { EmbeddedMetadata } from '@dam/contract'
import { cleanText } from '../ingest/clean-text.ts'
import { mapMeasures, mapMetadata } from '../ingest/map-metadata.ts'
import { canonicalMimeType } from '../ingest/media-types.ts'
import type { Identified, Measures, RawTags, ReadMetadata } from '../ingest/types.ts'
import type { ExifTool } from './exiftool.ts'
import { readPlainMetadata } from './plain-metadata.ts'
import { readDocumentProperties } from './document-properties.ts'
import { describe } from './identify.ts'

/** Tags that arrive as numbers; all others as ExifTool words them. */
const numeric = [
  'Orientation',
  'GPSLatitude',
  'GPSLongitude',
  'GPSAltitude',
  'GPSCoordinates',
  'ExposureTime',
  'FNumber',
  'FocalLength',
  'ISO',
  'Duration',
  'SendDuration',
  'Rating',
  'Rotation',
].map((tag) => `-${tag}#`)

// Computed tags cost 4 ms a photo and repeat what the others say; films and RAW need the rotation and the sizes they add.
const quickArgs = ['-fast', '-G1', '-e', ...numeric, '-all', '--System:all', '--ExifTool:ExifToolVersion']
const fullArgs = ['-fast', '-G1', ...numeric, '-all', '--System:all', '--ExifTool:ExifToolVersion']

/** Types that a signature alone cannot tell; ExifTool may name the right one. */
const refinable = new Set([
  'image/tiff',
  'application/pdf',
  'application/x-cfb',
  'application/octet-stream',
  'image/png',
  'audio/ogg',
  'video/ogg',
  'video/x-ms-asf',
  'audio/x-ms-wma',
  'application/zip',
  'application/postscript',
  'application/xml',
  'image/heif',
  'image/heic',
])
const neverRefinedTo = new Set([
  'text/plain',
  'application/octet-stream',
  'application/zip',
  'application/xml',
  'application/x-executable',
])

const zipped = /^application\/(epub\+zip|vnd\.(openxmlformats|oasis|ms-word|ms-excel|ms-powerpoint))/

const maxTags = 3_000
const maxTagLength = 4_000

/** Reads everything a file says about itself. A reader that fails leaves a warning, not an error: a file without metadata is a file. */
export async function readMetadata(input: {
  path: string
  identified: Identified
  exiftool: ExifTool | undefined
  now: Date
}): Promise<ReadMetadata> {
  const { path, exiftool } = input
  const warnings: string[] = []
  const quick = /^image\/(jpeg|png|webp|gif|tiff|avif|bmp)$/.test(input.identified.mimeType)
  if (!exiftool)
    warnings.push('ExifTool needs Perl, which is not installed; only the basic metadata of pictures was read.')
  const full = await exiftool
    ?.read(path, quick ? quickArgs : fullArgs)
    .catch((error: Error) => void warnings.push(error.message))
  const readable = /^image\/(jpeg|png|tiff|avif|hei[cf]|x-)/.test(input.identified.mimeType)
  const tags =
    full ??
    (readable ? await readPlainMetadata(path).catch((error: Error) => void warnings.push(error.message)) : undefined)
  const packed = zipped.test(input.identified.mimeType)
    ? await readDocumentProperties(path).catch((error: Error) => void warnings.push(error.message))
    : undefined
  const raw = storable({ ...tags, ...packed }, warnings)
  const refined = refine(input.identified, raw)
  const { mimeType, type } = refined ?? input.identified
  const { fields, capturedAt } = mapMetadata(raw, input.now)
  const measures = mapMeasures(raw, mimeType)
  if (type === 'audio' || type === 'video') await addMedia(path, mimeType, fields, measures, raw, warnings)
  const identified = refined ?? input.identified
  if (identified.mismatch) fields.detected_extension = identified.mismatch.actual
  return { ...(refined ? { refined } : {}), fields, raw, measures, warnings, ...(capturedAt ? { capturedAt } : {}) }
}

function refine(identified: Identified, raw: RawTags): Identified | undefined {
  const stated = raw['File:MIMEType']
  if (typeof stated !== 'string' || !refinable.has(identified.mimeType)) return undefined
  const mimeType = canonicalMimeType(stated)
  if (mimeType === identified.mimeType || neverRefinedTo.has(mimeType)) return undefined
  if (identified.mimeType.startsWith('image/hei') && !mimeType.startsWith('image/')) return undefined
  return describe(mimeType, identified.claimed)
}

/** The tags as they fit a JSON column: no NUL, no lone surrogates, no endless values. */
function storable(tags: RawTags, warnings: string[]): RawTags {
  const entries: [string, unknown][] = []
  for (const [name, value] of Object.entries(tags)) {
    if (name === 'SourceFile') continue
    if (/^ExifTool:(Warning|Error)/.test(name)) {
      warnings.push(cleanText(String(value), 300))
      continue
    }
    if (entries.length >= maxTags) {
      warnings.push(`only the first ${maxTags} tags were kept`)
      break
    }
    entries.push([cleanText(name, 200), storableValue(value)])
  }
  return Object.fromEntries(entries)
}

function storableValue(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value, maxTagLength)
  if (Array.isArray(value)) return value.slice(0, 500).map(storableValue)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'boolean'
    ? value
    : value === null || value === undefined
      ? null
      : cleanText(JSON.stringify(value), maxTagLength)
}

const videoCodec = (raw: RawTags): string | undefined => {
  const value = Object.entries(raw).find(
    ([name, value]) =>
      /:(CompressorID|VideoCodec|VideoCodecName|VideoEncoding)$/.test(name) ||
      (/^Track\d+:CodecID$/.test(name) && String(value).startsWith('V_')),
  )?.[1]
  return value === undefined ? undefined : cleanText(String(value), 100)
}

async function addMedia(
  path: string,
  mimeType: string,
  fields: EmbeddedMetadata,
  measures: Measures,
  raw: RawTags,
  warnings: string[],
): Promise<void> {
  const { parseFile } = await import('music-metadata')
  const media = await parseFile(path, { duration: true, skipCovers: true }).catch(
    (error: Error) => void warnings.push(`music-metadata: ${cleanText(error.message, 200)}`),
  )
  if (!media) return
  const { common, format } = media
  const set = <K extends keyof EmbeddedMetadata>(name: K, value: EmbeddedMetadata[K] | undefined) => {
    if (value !== undefined && value !== '' && fields[name] === undefined) fields[name] = value
  }
  const line = (value: string | undefined) => (value === undefined ? undefined : cleanText(value, 500))
  set('title', line(common.title))
  set('artist', line(common.artist))
  set('album', line(common.album))
  set('genre', line(common.genre?.join(', ')))
  set('track', common.track.no ? `${common.track.no}${common.track.of ? `/${common.track.of}` : ''}` : undefined)
  set('copyright', line(common.copyright))
  if (common.artists?.length) set('creator', common.artists.map((name) => cleanText(name, 200)).filter(Boolean))
  set('audio_codec', line(format.hasAudio ? format.codec : undefined))
  set('sample_rate', format.sampleRate)
  set('channels', format.numberOfChannels)
  if (measures.durationMs === undefined && format.duration !== undefined && Number.isFinite(format.duration))
    measures.durationMs = Math.round(format.duration * 1000)
  if (mimeType.startsWith('video/')) {
    set('video_codec', line(videoCodec(raw) ?? format.trackInfo.find(({ video }) => video)?.codecName))
    const rate = Object.entries(raw).find(([name]) => name.endsWith(':VideoFrameRate'))?.[1]
    set('frame_rate', typeof rate === 'number' ? rate : undefined)
  }
}
