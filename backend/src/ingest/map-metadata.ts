import type { EmbeddedMetadata } from '@dam/contract'
import { parseCaptureTime, type CaptureTime } from './captured-at.ts'
import { cleanLine, cleanText } from './clean-text.ts'
import type { Measures, RawTags } from './types.ts'

/**
 * Our names for what a file says, from ExifTool's tags (`Group1:Tag`). Where several say the same thing the first in the list wins. After the
 * Metadata Working Group: what a person wrote (XMP, then IPTC) before what a device wrote (EXIF), then the container's own tags.
 */
const text = {
  title: [
    'XMP-dc:Title',
    'IPTC:ObjectName',
    'XMP-photoshop:Headline',
    'IPTC:Headline',
    'IFD0:XPTitle',
    'Keys:Title',
    'Keys:DisplayName',
    'ItemList:Title',
    'UserData:Title',
    'QuickTime:Title',
    'PDF:Title',
    'PNG:Title',
    'Vorbis:Title',
    'ID3v2_4:Title',
    'ID3v2_3:Title',
    'ID3v2_2:Title',
    'ID3v1:Title',
    'Info:Title',
    'Matroska:Title',
    'RIFF:Title',
    'ASF:Title',
    'AIFF:Name',
    'XML:Title',
    'FlashPix:Title',
    'PostScript:Title',
    'SVG:Title',
    'Theora:Title',
    'RTF:Title',
    'HTML:Title',
  ],
  credit: ['XMP-photoshop:Credit', 'IPTC:Credit'],
  copyright: [
    'XMP-dc:Rights',
    'IPTC:CopyrightNotice',
    'IFD0:Copyright',
    'Keys:Copyright',
    'ItemList:Copyright',
    'UserData:Copyright',
    'PNG:Copyright',
    'RIFF:Copyright',
    'Vorbis:Copyright',
    'ID3v2_4:Copyright',
    'ID3v2_3:Copyright',
    'ASF:Copyright',
    'AIFF:Copyright',
  ],
  camera_make: ['IFD0:Make', 'XMP-tiff:Make', 'Keys:Make', 'UserData:Make', 'QuickTime:Make', 'Photoshop:Make'],
  camera_model: ['IFD0:Model', 'XMP-tiff:Model', 'Keys:Model', 'UserData:Model', 'QuickTime:Model'],
  software: [
    'IFD0:Software',
    'XMP-xmp:CreatorTool',
    'XMP-tiff:Software',
    'PNG:Software',
    'Keys:Software',
    'UserData:Software',
    'QuickTime:SoftwareVersion',
    'RIFF:Software',
    'PDF:Creator',
    'ItemList:Encoder',
    'XML:Application',
    'Matroska:WritingApp',
    'PostScript:Creator',
  ],
  city: ['XMP-photoshop:City', 'IPTC:City', 'XMP-iptcExt:LocationShownCity', 'XMP-iptcExt:LocationCreatedCity'],
  state: ['XMP-photoshop:State', 'IPTC:Province-State', 'XMP-iptcExt:LocationShownProvinceState'],
  country: [
    'XMP-photoshop:Country',
    'IPTC:Country-PrimaryLocationName',
    'XMP-iptcExt:LocationShownCountryName',
    'XMP-iptcExt:LocationCreatedCountryName',
  ],
  location: ['XMP-iptcCore:Location', 'IPTC:Sub-location', 'XMP-iptcExt:LocationShownSublocation'],
  colour_space: [
    'ExifIFD:ColorSpace',
    'XMP-exif:ColorSpace',
    'Photoshop:ColorMode',
    'ICC_Profile:ColorSpaceData',
    'ICC-header:ColorSpaceData',
    'PNG:ColorType',
  ],
  colour_profile: ['ICC_Profile:ProfileDescription', 'XMP-photoshop:ICCProfileName', 'PNG:ProfileName'],
  author: ['PDF:Author', 'XML:Creator', 'FlashPix:Author', 'XMP-pdf:Author'],
  producer: ['PDF:Producer', 'XMP-pdf:Producer'],
} as const satisfies Partial<Record<keyof EmbeddedMetadata, readonly string[]>>

const description = [
  'XMP-dc:Description',
  'IPTC:Caption-Abstract',
  'IFD0:ImageDescription',
  'XMP-tiff:ImageDescription',
  'IFD0:XPComment',
  'IFD0:XPSubject',
  'Keys:Description',
  'ItemList:Description',
  'UserData:Description',
  'PNG:Description',
  'PDF:Subject',
  'Vorbis:Description',
  'XML:Description',
  'SVG:Desc',
  'ExifIFD:UserComment',
  'File:Comment',
  'PNG:Comment',
  'GIF:Comment',
]
const creator = [
  'XMP-dc:Creator',
  'IPTC:By-line',
  'IFD0:Artist',
  'XMP-tiff:Artist',
  'IFD0:XPAuthor',
  'Keys:Author',
  'Keys:Artist',
  'ItemList:Artist',
  'UserData:Artist',
  'PNG:Author',
  'PNG:Artist',
  'PDF:Author',
  'XML:Creator',
  'FlashPix:Author',
  'RIFF:Artist',
  'ASF:Author',
  'Vorbis:Artist',
  'ID3v2_4:Artist',
  'ID3v2_3:Artist',
  'ID3v2_2:Artist',
  'ID3v1:Artist',
  'AIFF:Author',
]
const keywordLists = ['XMP-dc:Subject', 'IPTC:Keywords', 'Keys:Keywords', 'ItemList:Keyword']
const keywordTexts = [
  'IFD0:XPKeywords',
  'PDF:Keywords',
  'XMP-pdf:Keywords',
  'XML:Keywords',
  'FlashPix:Keywords',
  'PNG:Keywords',
]

const numbers = {
  iso: [
    'ExifIFD:ISO',
    'ExifIFD:PhotographicSensitivity',
    'XMP-exif:ISO',
    'XMP-exifEX:PhotographicSensitivity',
    'IFD0:ISO',
  ],
  aperture: ['ExifIFD:FNumber', 'XMP-exif:FNumber', 'IFD0:FNumber'],
  exposure_time: ['ExifIFD:ExposureTime', 'XMP-exif:ExposureTime', 'IFD0:ExposureTime'],
  focal_length: ['ExifIFD:FocalLength', 'XMP-exif:FocalLength', 'IFD0:FocalLength'],
  rating: ['XMP-xmp:Rating', 'IFD0:Rating', 'Keys:Rating'],
} as const satisfies Partial<Record<keyof EmbeddedMetadata, readonly string[]>>

const reasonable: Record<keyof typeof numbers, readonly [number, number]> = {
  iso: [1, 10_000_000],
  aperture: [0.3, 512],
  exposure_time: [1e-7, 1e6],
  focal_length: [0.1, 100_000],
  rating: [-1, 5],
}

/** What devices write into ImageDescription by themselves. */
const deviceDescription =
  /^(olympus digital camera|sony dsc|dcim\w*|minolta digital camera|kodak digital.*camera|digital camera|dsc\d*|default|untitled|konica minolta.*|exif_jpeg.*|screenshot|\s*)$/i

export function mapMetadata(
  raw: RawTags,
  now: Date,
): { fields: EmbeddedMetadata; capturedAt?: { iso: string; offset: string | null } } {
  const fields: EmbeddedMetadata = {}
  for (const [name, tags] of Object.entries(text) as [keyof typeof text, readonly string[]][]) {
    const value = first(raw, tags, (candidate) => cleanLine(asText(candidate)))
    if (value) fields[name] = value
  }
  const about = first(raw, description, (candidate) => {
    const cleaned = cleanText(asText(candidate))
    return deviceDescription.test(cleaned) ? '' : cleaned
  })
  if (about) fields.description = about
  for (const [name, tags] of Object.entries(numbers) as [keyof typeof numbers, readonly string[]][]) {
    const [least, most] = reasonable[name]
    const value = first(raw, tags, (candidate) => within(asNumber(candidate), least, most))
    if (value !== undefined) fields[name] = value
  }
  const names = first(raw, creator, (candidate) => unique(asList(candidate).map((name) => cleanLine(name, 200))))
  if (names?.length) fields.creator = names.slice(0, 20)
  const keywords = unique(
    [
      ...keywordLists.flatMap((tag) => asList(raw[tag])),
      ...keywordTexts.flatMap((tag) => asList(raw[tag]).flatMap((list) => list.split(/[;,]/))),
    ].map((keyword) => cleanLine(keyword, 100)),
  )
  if (keywords.length) fields.keywords = keywords.slice(0, 200)
  const lens = lensOf(raw)
  if (lens) fields.lens = lens
  const orientation = asNumber(raw['IFD0:Orientation'] ?? raw['XMP-tiff:Orientation'])
  if (orientation !== undefined && Number.isInteger(orientation) && orientation >= 1 && orientation <= 8)
    fields.orientation = orientation
  const bitDepth = first(
    raw,
    ['File:BitsPerSample', 'PNG:BitDepth', 'IFD0:BitsPerSample', 'Photoshop:BitDepth'],
    (candidate) => within(asNumber(candidate), 1, 64),
  )
  if (bitDepth !== undefined) fields.bit_depth = Math.trunc(bitDepth)
  Object.assign(fields, positionOf(raw))
  const captured = capturedAt(raw, now)
  if (captured) {
    fields.captured_at = captured.wallClock
    if (captured.offset) fields.offset = captured.offset
  }
  return captured ? { fields, capturedAt: { iso: captured.iso, offset: captured.offset } } : { fields }
}

/** Facts about the content that tags state; decoded pixels are believed over these. */
export function mapMeasures(raw: RawTags, mimeType: string): Measures {
  const find = (tag: string, groups: RegExp): number | undefined => {
    for (const [name, value] of Object.entries(raw))
      if (name.endsWith(`:${tag}`) && groups.test(name)) return asNumber(value)
    return undefined
  }
  const pixels =
    /^(File|PNG|GIF|WEBP|RIFF|Track\d+|QuickTime|Matroska|Track|ASF|Flash|MPEG|Photoshop|Meta|HEIF|Jpeg2000|SVG|BMP|JXL|MinoltaRaw|AV1Config|HEVCConfig|FLV|IFD0|SubIFD\d*|PanasonicRaw|XCF|Composite|H264|RAF|PSD):/
  const largest = mimeType.startsWith('image/x-') ? largestImage(raw) : undefined
  const width = largest?.width ?? within(find('ImageWidth', pixels) ?? find('SourceImageWidth', pixels), 1, 1_000_000)
  const height =
    largest?.height ?? within(find('ImageHeight', pixels) ?? find('SourceImageHeight', pixels), 1, 1_000_000)
  const orientation = asNumber(raw['IFD0:Orientation']) ?? 1
  const rotation = mimeType.startsWith('video/') ? (find('Rotation', /./) ?? 0) : 0
  const turned = mimeType.startsWith('video/') ? Math.abs(rotation) % 180 === 90 : orientation >= 5 && orientation <= 8
  const durationSeconds = within(
    find('SendDuration', /^ASF:/) ??
      find(
        'Duration',
        /^(QuickTime|Track\d+|Matroska|Info|RIFF|ASF|Flash|MPEG|Composite|FLAC|Vorbis|File|FLV|AIFF|GIF|PNG):/,
      ),
    0,
    10_000_000,
  )
  const pages = within(
    find('PageCount', /^(PDF|XMP-xmpTPg)/) ??
      find('NPages', /^XMP-xmpTPg/) ??
      find('Pages', /^(XML|FlashPix)/) ??
      find('Slides', /^(XML|FlashPix)/),
    1,
    1_000_000,
  )
  const frames = find('AnimationFrames', /^PNG/) ?? find('FrameCount', /^(GIF|WEBP|RIFF)/)
  return {
    ...(width && height ? sized(turned ? height : width, turned ? width : height) : {}),
    ...(durationSeconds !== undefined && /^(video|audio)\//.test(mimeType)
      ? { durationMs: Math.round(durationSeconds * 1000) }
      : {}),
    ...(pages ? { pageCount: Math.trunc(pages) } : {}),
    ...(mimeType.startsWith('image/') &&
    ((frames !== undefined && frames > 1) ||
      /sequence/i.test(asText(raw['QuickTime:MajorBrand'])) ||
      mimeType.endsWith('-sequence'))
      ? { animated: true }
      : {}),
  }
}

const sized = (width: number, height: number) => ({
  width: Math.max(1, Math.round(width)),
  height: Math.max(1, Math.round(height)),
})

/** RAW files hold several pictures. The photo is the largest, but for the dark border of the sensor. */
function largestImage(raw: RawTags): { width: number; height: number } | undefined {
  const sizes: { width: number; height: number; area: number }[] = []
  for (const [name, value] of Object.entries(raw)) {
    if (!name.endsWith(':ImageWidth') || name.startsWith('XMP')) continue
    const width = within(asNumber(value), 1, 1_000_000)
    const height = within(asNumber(raw[name.replace(/Width$/, 'Height')]), 1, 1_000_000)
    if (width && height) sizes.push({ width, height, area: width * height })
  }
  const largest = Math.max(...sizes.map(({ area }) => area))
  return sizes.filter(({ area }) => area >= largest * 0.9).sort((a, b) => a.area - b.area)[0]
}

function capturedAt(raw: RawTags, now: Date): CaptureTime | undefined {
  const exif = (tag: string, offset: string, subSecond: string) => {
    const written = raw[tag]
    const fraction = raw[subSecond]
    const withFraction =
      typeof written === 'string' && /:\d\d$/.test(written.trim()) && /^\d+$/.test(String(fraction ?? ''))
        ? `${written.trim()}.${fraction}`
        : written
    return parseCaptureTime(withFraction, now, raw[offset] ?? raw['ExifIFD:OffsetTime'])
  }
  const iptc = (date: string, time: string) =>
    raw[date] === undefined
      ? undefined
      : parseCaptureTime(`${asText(raw[date])} ${asText(raw[time] ?? '')}`.trim(), now)
  return (
    exif('ExifIFD:DateTimeOriginal', 'ExifIFD:OffsetTimeOriginal', 'ExifIFD:SubSecTimeOriginal') ??
    exif('IFD0:DateTimeOriginal', 'ExifIFD:OffsetTimeOriginal', 'none') ??
    parseCaptureTime(raw['XMP-exif:DateTimeOriginal'], now) ??
    parseCaptureTime(raw['XMP-photoshop:DateCreated'], now) ??
    iptc('IPTC:DateCreated', 'IPTC:TimeCreated') ??
    exif('ExifIFD:CreateDate', 'ExifIFD:OffsetTimeDigitized', 'ExifIFD:SubSecTimeDigitized') ??
    parseCaptureTime(raw['Keys:CreationDate'], now) ??
    parseCaptureTime(raw['UserData:DateTimeOriginal'], now) ??
    parseCaptureTime(raw['RIFF:DateTimeOriginal'], now) ??
    parseCaptureTime(raw['Info:DateTimeOriginal'] ?? raw['Matroska:DateTimeOriginal'], now) ??
    parseCaptureTime(quickTimeDate(raw['QuickTime:CreateDate']), now, 'Z') ??
    parseCaptureTime(raw['PNG:CreationTime'], now) ??
    parseCaptureTime(
      Object.entries(raw).find(([name]) =>
        /^(Reconyx|Canon|Nikon|Pentax|Olympus|Panasonic|Sony|FujiFilm|Casio|Kodak|Minolta|Ricoh|Samsung)\w*:DateTimeOriginal$/.test(
          name,
        ),
      )?.[1],
      now,
    )
  )
}

/** QuickTime counts from 1904 in UTC; a writer without a clock leaves 0, which is 1904 itself. */
const quickTimeDate = (value: unknown): unknown =>
  typeof value === 'string' && !/^19(0\d|[1-6]\d)/.test(value) ? value : undefined

function positionOf(raw: RawTags): Pick<EmbeddedMetadata, 'latitude' | 'longitude' | 'altitude'> {
  const found =
    signed(raw['GPS:GPSLatitude'], raw['GPS:GPSLatitudeRef'], raw['GPS:GPSLongitude'], raw['GPS:GPSLongitudeRef']) ??
    signed(raw['XMP-exif:GPSLatitude'], '', raw['XMP-exif:GPSLongitude'], '') ??
    coordinates(raw['Keys:GPSCoordinates'] ?? raw['UserData:GPSCoordinates'] ?? raw['ItemList:GPSCoordinates']) ??
    signed(raw['Composite:GPSLatitude'], '', raw['Composite:GPSLongitude'], '')
  if (!found) return {}
  const below = /below|^1$/i.test(String(raw['GPS:GPSAltitudeRef'] ?? ''))
  const metres = asNumber(raw['GPS:GPSAltitude']) ?? asNumber(raw['XMP-exif:GPSAltitude']) ?? found.altitude
  const altitude = within(metres === undefined ? undefined : below ? -Math.abs(metres) : metres, -12_000, 100_000)
  return { latitude: found.latitude, longitude: found.longitude, ...(altitude === undefined ? {} : { altitude }) }
}

type Position = { latitude: number; longitude: number; altitude?: number }

function signed(lat: unknown, latRef: unknown, lon: unknown, lonRef: unknown): Position | undefined {
  const latitude = within(asNumber(lat), -90, 90)
  const longitude = within(asNumber(lon), -180, 180)
  if (latitude === undefined || longitude === undefined) return undefined
  return {
    latitude: /^s/i.test(String(latRef)) ? -Math.abs(latitude) : latitude,
    longitude: /^w/i.test(String(lonRef)) ? -Math.abs(longitude) : longitude,
  }
}

function coordinates(value: unknown): Position | undefined {
  const [lat, lon, alt] = typeof value === 'string' ? value.split(/[\s,]+/).map(Number) : []
  const position = signed(lat, '', lon, '')
  return position && Number.isFinite(alt) ? { ...position, altitude: alt! } : position
}

function lensOf(raw: RawTags): string | undefined {
  const stated = first(
    raw,
    ['ExifIFD:LensModel', 'XMP-exifEX:LensModel', 'XMP-aux:Lens', 'Keys:LensModel'],
    (value) => {
      const name = cleanLine(asText(value), 200)
      return /[a-z]|\d.*mm/i.test(name) && !/^(unknown|n\/a|none|----)/i.test(name) ? name : ''
    },
  )
  if (stated) return stated
  for (const [name, value] of Object.entries(raw)) {
    if (
      !/^(Canon|Nikon|Pentax|Olympus|Panasonic|Sony|Sigma|FujiFilm|Minolta|Samsung|Leica)\w*:(LensType|LensModel|Lens|LensID)$/.test(
        name,
      )
    )
      continue
    const lens = cleanLine(asText(value), 200)
    if (/\d\s*mm|[a-z].*\d/i.test(lens) && !/unknown|n\/a|none/i.test(lens)) return lens
  }
  return undefined
}

function first<T>(raw: RawTags, tags: readonly string[], read: (value: unknown) => T | undefined): T | undefined {
  for (const tag of tags) {
    if (raw[tag] === undefined || raw[tag] === null) continue
    const value = read(raw[tag])
    if (value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)) return value
  }
  return undefined
}

const asText = (value: unknown): string => {
  const item: unknown = Array.isArray(value) ? value[0] : value
  if (typeof item === 'string') return item.startsWith('(Binary data ') || item.startsWith('base64:') ? '' : item
  return typeof item === 'number' || typeof item === 'boolean' ? String(item) : ''
}

const asList = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).map((item: unknown) => asText(item)).filter((item) => item !== '')

function asNumber(value: unknown): number | undefined {
  const item: unknown = Array.isArray(value) ? value[0] : value
  if (typeof item === 'number') return Number.isFinite(item) ? item : undefined
  const match =
    typeof item === 'string' ? /^\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?:\s*\/\s*(\d+(?:\.\d+)?))?/i.exec(item) : null
  if (!match) return undefined
  const number = match[2] === undefined ? Number(match[1]) : Number(match[1]) / Number(match[2])
  return Number.isFinite(number) ? number : undefined
}

const within = (value: number | undefined, least: number, most: number): number | undefined =>
  value !== undefined && value >= least && value <= most ? value : undefined

function unique(values: readonly string[]): string[] {
  const seen = new Map<string, string>()
  for (const value of values) if (value && !seen.has(value.toLowerCase())) seen.set(value.toLowerCase(), value)
  return [...seen.values()]
}
