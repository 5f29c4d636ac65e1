import type { RawTags } from '../ingest/types.ts'

/** Segments of exifr -> groups as ExifTool names them. */
const groups: Record<string, string> = {
  ifd0: 'IFD0',
  exif: 'ExifIFD',
  gps: 'GPS',
  iptc: 'IPTC',
  icc: 'ICC_Profile',
  ihdr: 'PNG',
  dc: 'XMP-dc',
  photoshop: 'XMP-photoshop',
  xmp: 'XMP-xmp',
  tiff: 'XMP-tiff',
  aux: 'XMP-aux',
  exifEX: 'XMP-exifEX',
  Iptc4xmpCore: 'XMP-iptcCore',
}
const iptcNames: Record<string, string> = {
  Byline: 'By-line',
  Caption: 'Caption-Abstract',
  State: 'Province-State',
  Country: 'Country-PrimaryLocationName',
  SubLocation: 'Sub-location',
  Sublocation: 'Sub-location',
}

/** EXIF, IPTC, XMP and ICC of the common picture formats without any program: less than ExifTool knows, in the same words. */
export async function readPlainMetadata(path: string): Promise<RawTags> {
  const { default: exifr } = await import('exifr')
  const segments = (await exifr.parse(path, {
    tiff: true,
    exif: true,
    gps: true,
    iptc: true,
    xmp: true,
    icc: true,
    ihdr: true,
    makerNote: false,
    userComment: false,
    mergeOutput: false,
    reviveValues: false,
    translateKeys: true,
    translateValues: false,
    sanitize: true,
  })) as Record<string, Record<string, unknown>> | undefined
  const tags: RawTags = {}
  for (const [segment, values] of Object.entries(segments ?? {})) {
    const group = groups[segment]
    if (!group || typeof values !== 'object' || values === null) continue
    for (const [name, value] of Object.entries(values)) {
      const plain = valueOf(group, name, value)
      if (plain !== undefined) tags[`${group}:${nameOf(group, name)}`] = plain
    }
  }
  return tags
}

const nameOf = (group: string, name: string): string =>
  group === 'IPTC' ? (iptcNames[name] ?? name) : name.charAt(0).toUpperCase() + name.slice(1)

function valueOf(group: string, name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return name === 'GPSAltitudeRef' ? value[0] : undefined
  if (group === 'GPS' && /^GPS(Latitude|Longitude)$/.test(name) && Array.isArray(value)) {
    const [degrees = 0, minutes = 0, seconds = 0] = value.map(Number)
    return degrees + minutes / 60 + seconds / 3600
  }
  if (group === 'IPTC' && /^(Date|Time)Created$/.test(name))
    return String(value)
      .replace(/^(\d{4})(\d\d)(\d\d)$/, '$1:$2:$3')
      .replace(/^(\d\d)(\d\d)(\d\d)/, '$1:$2:$3')
  if (group === 'XMP-dc' && (name === 'subject' || name === 'creator')) return [value].flat()
  return typeof value === 'object' && value !== null && 'value' in value ? value.value : value
}
