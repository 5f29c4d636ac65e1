import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'

/** A file that a test uploads. */
export type TestFile = { name: string; bytes: Buffer; mimeType: string }

type Picture = {
  width: number
  height: number
  hue: number
  capturedAt?: string
  camera?: string
  title?: string
  keywords?: string[]
  format?: 'jpeg' | 'png' | 'webp'
}

/** A picture that no other call with other arguments gives: two hills under a sky, so that previews can be told apart by eye. */
export async function picture(
  name: string,
  { width, height, hue, capturedAt, camera, title, keywords, format = 'jpeg' }: Picture,
): Promise<TestFile> {
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 100 100" preserveAspectRatio="none">
    <defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="hsl(${hue},65%,48%)"/><stop offset="1" stop-color="hsl(${(hue + 40) % 360},80%,82%)"/></linearGradient></defs>
    <rect width="100" height="100" fill="url(#sky)"/><circle cx="${20 + (hue % 60)}" cy="28" r="8" fill="#fff6d8"/>
    <path d="M0 70 Q25 ${40 + (hue % 20)} 50 68 T100 60 V100 H0Z" fill="hsl(${(hue + 150) % 360},35%,32%)"/>
    <path d="M0 84 Q40 66 70 84 T100 80 V100 H0Z" fill="hsl(${(hue + 170) % 360},40%,20%)"/></svg>`
  const image = sharp(Buffer.from(drawing))
  const exif = {
    IFD0: {
      ...(camera ? { Make: camera.split(' ')[0]!, Model: camera } : {}),
      ...(title ? { ImageDescription: title } : {}),
    },
    IFD2: capturedAt ? { DateTimeOriginal: capturedAt } : {},
  }
  if (format === 'png') return { name, bytes: await image.png().toBuffer(), mimeType: 'image/png' }
  const described = image.withExif(exif).withXmp(xmpPacket({ title, keywords }))
  return format === 'webp'
    ? { name, bytes: await described.webp({ quality: 80 }).toBuffer(), mimeType: 'image/webp' }
    : { name, bytes: await described.jpeg({ quality: 88 }).toBuffer(), mimeType: 'image/jpeg' }
}

function xmpPacket({ title, keywords = [] }: { title?: string | undefined; keywords?: string[] | undefined }): string {
  const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">${
    title ? `<dc:title><rdf:Alt><rdf:li xml:lang="x-default">${escape(title)}</rdf:li></rdf:Alt></dc:title>` : ''
  }<dc:subject><rdf:Bag>${keywords.map((word) => `<rdf:li>${escape(word)}</rdf:li>`).join('')}</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
}

/** Bytes that do not compress and differ for each seed. */
export function noise(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  let state = seed >>> 0 || 1
  for (let at = 0; at + 4 <= sizeBytes; at += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes.writeInt32LE(state | 0, at)
  }
  return bytes
}

/** A valid picture of about `sizeBytes`, for journeys that need an upload to last: a tiny PNG with a private chunk. */
export async function heavyPicture(name: string, sizeBytes: number, seed: number): Promise<TestFile> {
  const { bytes } = await picture(name, { width: 320, height: 200, hue: (seed * 47) % 360, format: 'png' })
  const end = bytes.length - 12
  return {
    name,
    bytes: Buffer.concat([bytes.subarray(0, end), pngChunk('daMx', noise(sizeBytes, seed)), bytes.subarray(end)]),
    mimeType: 'image/png',
  }
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const chunk = Buffer.alloc(body.length + 8)
  chunk.writeUInt32BE(data.length, 0)
  body.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(body), body.length + 4)
  return chunk
}

function crc32(bytes: Buffer): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ -1) >>> 0
}

/** A document of one page with one line of text. */
export function pdf(name: string, text: string): TestFile {
  const content = `BT /F1 36 Tf 72 700 Td (${text.replace(/[\\()]/g, '\\$&')}) Tj ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let body = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const offset = body.length
    body += `${index + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const text2 = `${body}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`
  return { name, bytes: Buffer.from(text2, 'latin1'), mimeType: 'application/pdf' }
}

/** Half a second of a tone. */
export function sound(name: string): TestFile {
  const rate = 8_000
  const samples = rate / 2
  const bytes = Buffer.alloc(44 + samples * 2)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(36 + samples * 2, 4)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(1, 22)
  bytes.writeUInt32LE(rate, 24)
  bytes.writeUInt32LE(rate * 2, 28)
  bytes.writeUInt16LE(2, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36)
  bytes.writeUInt32LE(samples * 2, 40)
  for (let n = 0; n < samples; n += 1)
    bytes.writeInt16LE(Math.round(Math.sin((n * 2 * Math.PI * 440) / rate) * 8_000), 44 + n * 2)
  return { name, bytes, mimeType: 'audio/wav' }
}

export const text = (name: string, content: string): TestFile => ({
  name,
  bytes: Buffer.from(content),
  mimeType: 'text/plain',
})

/** Writes files below `folder`; keys are relative paths. */
export function writeTree(folder: string, files: Record<string, Buffer>): string {
  for (const [relativePath, bytes] of Object.entries(files)) {
    const target = path.join(folder, relativePath)
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, bytes)
  }
  return folder
}
