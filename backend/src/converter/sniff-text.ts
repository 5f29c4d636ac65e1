import { promisedBy } from '../ingest/media-types.ts'

const textKinds = new Set([
  'text/plain',
  'text/markdown',
  'text/csv',
  'text/css',
  'text/javascript',
  'application/x-yaml',
  'text/calendar',
  'text/vcard',
  'model/obj',
  'model/mtl',
])

/** Media type of text, or undefined when the bytes are not text. `cut`: the head ends before the file does. */
export function sniffText(head: Buffer, cut: boolean, extension: string): string | undefined {
  const text = decodeText(head, cut)
  if (text === undefined) return undefined
  const start = text.slice(0, 8192).trimStart()
  if (start.startsWith('<')) {
    const kind = xmlKind(start)
    if (kind) return kind
  }
  if (/^push graphic-context|^viewbox \d/.test(start)) return 'image/x-mvg'
  if (start.startsWith('{\\rtf')) return 'application/rtf'
  if (/^solid\b[\s\S]{0,300}facet normal/.test(start)) return 'model/stl'
  if (/^[{[]/.test(start)) {
    if (/"asset"\s*:\s*\{[^}]*"version"\s*:\s*"[12]/.test(text)) return 'model/gltf+json'
    if (extension === 'json' || extension === 'gltf' || extension === 'geojson' || /^[{[]\s*("|\{|\[|\d)/.test(start))
      return 'application/json'
  }
  if (start.startsWith('BEGIN:VCALENDAR')) return 'text/calendar'
  if (start.startsWith('BEGIN:VCARD')) return 'text/vcard'
  for (const promised of promisedBy(extension)) if (textKinds.has(promised)) return promised
  if (/^(#[^\n]*\n|\s*\n|o [^\n]*\n|mtllib [^\n]*\n|g [^\n]*\n)*v -?[\d.]+ -?[\d.]+ -?[\d.]+/.test(start))
    return 'model/obj'
  return 'text/plain'
}

/** The vocabulary of a document that starts with `<`, by its first element. */
function xmlKind(start: string): string | undefined {
  const body = afterProlog(start)
  const element = /^<(?:!doctype\s+(html)|(?:[\w.-]+:)?([\w.-]+))/i.exec(body)
  const name = (element?.[1] ?? element?.[2])?.toLowerCase()
  if (
    name === 'svg' ||
    /<!DOCTYPE\s+svg\b/i.test(start) ||
    (/<svg[\s>]/i.test(body.slice(0, 4096)) && !/<html/i.test(start))
  )
    return 'image/svg+xml'
  if (name === 'html' || name === 'head' || name === 'body' || name === 'script') return 'text/html'
  if (name === 'collada') return 'model/vnd.collada+xml'
  if (name === 'xmpmeta' || name === 'rdf' || start.startsWith('<?xpacket')) return 'application/rdf+xml'
  if (name === 'plist')
    return /adjustment(Data|FormatIdentifier)/.test(start) ? 'application/vnd.apple.photos' : 'application/xml'
  return start.startsWith('<?xml') || /xmlns/.test(start) ? 'application/xml' : undefined
}

/** The document from its first element on; a doctype of HTML counts as the element. */
function afterProlog(start: string): string {
  let rest = start
  for (;;) {
    rest = rest.trimStart()
    let end = -1
    if (rest.startsWith('<?')) end = rest.indexOf('?>') + 2
    else if (rest.startsWith('<!--')) end = rest.indexOf('-->') + 3
    else if (/^<!doctype\s/i.test(rest) && !/^<!doctype\s+html/i.test(rest)) {
      const close = rest.indexOf('>')
      const subset = rest.indexOf('[')
      end = subset >= 0 && subset < close ? rest.indexOf(']>', subset) + 2 : close + 1
    } else return rest
    if (end < 3) return rest
    rest = rest.slice(end)
  }
}

function decodeText(head: Buffer, cut: boolean): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return head.subarray(2).toString('utf16le')
  if (head[0] === 0xfe && head[1] === 0xff)
    return Buffer.from(head.subarray(2, head.length - (head.length % 2)))
      .swap16()
      .toString('utf16le')
  let odd = 0
  for (const byte of head) {
    if (byte === 0) return undefined
    if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12 && byte !== 27) odd++
  }
  if (odd > head.length / 100) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: cut })
  } catch {
    // 8-bit text of an unknown encoding has few high bytes; binary formats have many.
    const high = head.reduce((count, byte) => count + (byte >= 0x80 ? 1 : 0), 0)
    return high < head.length * 0.3 && odd === 0 ? head.toString('latin1') : undefined
  }
}
