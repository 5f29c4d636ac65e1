import type { Identified, Measures, ReadMetadata } from './types.ts'
import { canonicalMimeType } from './media-types.ts'

/** What independent tools say of one corpus file; the parts of `expected.json` that are compared. */
export type Expected = {
  bytes: number
  mime_best: string | null
  mime?: { exiftool: string | null; file: string | null }
  metadata?: {
    date_taken?: string
    create_date?: string
    media_create_date?: string
    gps?: { lat: number; lon: number }
    keywords?: string[]
    title_by_source?: Record<string, string>
    creator_by_source?: Record<string, string | string[]>
  }
  dimensions?: Record<string, [number | string, number | string]>
  display_size?: [number, number]
  display_size_if_exif_orientation_is_applied?: [number, number]
  orientation?: number
  pdf?: { pages?: number }
  media?: { duration_s?: number | null }
  expect?: string
}

export type Extracted = { identified: Identified; metadata: Pick<ReadMetadata, 'fields'>; measures: Measures }

export const comparedFields = [
  'type',
  'size',
  'orientation',
  'capture date',
  'gps',
  'keywords',
  'title',
  'creator',
  'pages',
  'duration',
] as const
export type ComparedField = (typeof comparedFields)[number]
export type Comparison = { field: ComparedField; agrees: boolean; expected: string; found: string }

/** One row for each field the reference tools state for this file. */
export function compare(expected: Expected, { identified, metadata, measures }: Extracted): Comparison[] {
  const rows: Comparison[] = []
  const { fields } = metadata
  const add = (field: ComparedField, agrees: boolean, wanted: unknown, found: unknown): void =>
    void rows.push({ field, agrees, expected: show(wanted), found: show(found) })

  const types = [expected.mime_best, expected.mime?.exiftool, expected.mime?.file]
    .filter((type) => typeof type === 'string')
    .map(sameType)
  if (types.length > 0) add('type', types.includes(sameType(identified.mimeType)), types[0], identified.mimeType)

  const sizes = [
    expected.display_size,
    expected.display_size_if_exif_orientation_is_applied,
    ...(expected.display_size ? [] : Object.values(expected.dimensions ?? {})),
  ].flatMap((size) =>
    size && size.every((side) => Number(side) > 0)
      ? [size.map((side) => Math.round(Number(side))) as [number, number]]
      : [],
  )
  if (sizes.length > 0) {
    add(
      'size',
      sizes.some(([width, height]) => width === measures.width && height === measures.height),
      sizes[0],
      [measures.width, measures.height],
    )
  }
  if (expected.orientation !== undefined) {
    // Values outside 1 to 8 mean nothing.
    const wanted = expected.orientation >= 1 && expected.orientation <= 8 ? expected.orientation : 1
    add('orientation', wanted === (fields.orientation ?? 1), expected.orientation, fields.orientation ?? 1)
  }

  const about = expected.metadata ?? {}
  if (about.date_taken)
    add(
      'capture date',
      digits(about.date_taken) === digits(fields.captured_at ?? ''),
      about.date_taken,
      fields.captured_at,
    )
  if (about.gps) {
    const near =
      fields.latitude !== undefined &&
      fields.longitude !== undefined &&
      Math.abs(fields.latitude - about.gps.lat) < 1e-4 &&
      Math.abs(fields.longitude - about.gps.lon) < 1e-4
    add('gps', near, [about.gps.lat, about.gps.lon], [fields.latitude, fields.longitude])
  }
  if (about.keywords) add('keywords', sameWords(about.keywords, fields.keywords ?? []), about.keywords, fields.keywords)
  const titles = Object.values(about.title_by_source ?? {}).map(plain)
  if (titles.some(Boolean)) add('title', titles.includes(plain(fields.title ?? '')), titles, fields.title)
  // What PDF and PostScript call creator is the program, not the person.
  const creators = Object.entries(about.creator_by_source ?? {}).filter(
    ([source]) => source !== 'PDF:Creator' && source !== 'PostScript:Creator',
  )
  if (creators.length > 0) {
    const wanted = creators.map(([, names]) => [names].flat().map(plain).join('|'))
    const found = fields.creator?.map(plain) ?? []
    add(
      'creator',
      wanted.some((names) => names === found.join('|') || names === found.join(', ') || names === found.join('; ')),
      wanted,
      found,
    )
  }
  if (expected.pdf?.pages !== undefined)
    add('pages', expected.pdf.pages === measures.pageCount, expected.pdf.pages, measures.pageCount)
  const seconds = expected.media?.duration_s
  if (typeof seconds === 'number' && seconds > 0 && identified.type !== 'image') {
    const found = (measures.durationMs ?? 0) / 1000
    add(
      'duration',
      Math.abs(found - seconds) <= Math.max(0.25, seconds * 0.03),
      seconds,
      measures.durationMs === undefined ? undefined : found,
    )
  }
  return rows
}

const digits = (date: unknown): string => String(date).replace(/\D/g, '').slice(0, 14).padEnd(14, '0')
const plain = (text: unknown): string =>
  String(text)
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
const show = (value: unknown): string =>
  value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value)

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  const key = (words: readonly string[]) =>
    [...new Set(words.map((word) => plain(word).toLowerCase()))].filter(Boolean).sort().join('\n')
  return key(a) === key(b)
}

/** Tools disagree about names of one and the same format. */
const equals: Record<string, string> = {
  'image/apng': 'image/png',
  'audio/opus': 'audio/ogg',
  'image/heif-sequence': 'image/heif',
  'image/heic-sequence': 'image/heif',
  'image/heic': 'image/heif',
  'application/vnd.ms-word.document.macroenabled.12':
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'application/vnd.ms-excel.sheet.macroenabled.12': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'video/x-ms-asf': 'audio/x-ms-wma',
  'video/x-m4v': 'video/mp4',
  'font/sfnt': 'font/ttf',
  'image/x-eps': 'application/postscript',
  'text/xml': 'application/xml',
}
const sameType = (mimeType: string): string => {
  const canonical = canonicalMimeType(mimeType)
  return equals[canonical] ?? canonical
}
