import { open, type FileHandle } from 'node:fs/promises'
import type { Identified, IngestError } from '../ingest/types.ts'
import { canonicalExtension, canonicalMimeType, contradicts, extensionOf, typeOf } from '../ingest/media-types.ts'
import { sniffText } from './sniff-text.ts'
import { Refusal } from './refusal.ts'
import { ZipFile } from './zip-file.ts'

const headBytes = 64 * 1024

/** Says what a file is from its bytes. The name only chooses between kinds of plain text and reports a mismatch. */
export async function identify(input: { path: string; filename: string }): Promise<Identified> {
  const { head, sizeBytes } = await readHead(input.path)
  if (sizeBytes === 0) throw new Refusal(emptyFile)
  const extension = extensionOf(input.filename)
  return describe(await mimeTypeOf(input.path, head, sizeBytes, extension), extension)
}

/** The identity of a media type, with the mismatch an extension makes with it. */
export function describe(mimeType: string, claimedExtension: string): Identified {
  const actual = canonicalExtension(mimeType)
  return {
    mimeType,
    extension: actual,
    type: typeOf(mimeType),
    claimed: claimedExtension,
    ...(contradicts(claimedExtension, mimeType)
      ? { mismatch: { claimed: claimedExtension, actual: actual || mimeType } }
      : {}),
  }
}

const emptyFile: IngestError = {
  kind: 'failed',
  code: 'empty-file',
  message: 'The file has no bytes. Upload it again from the original.',
  retryable: false,
}

async function mimeTypeOf(path: string, head: Buffer, sizeBytes: number, extension: string): Promise<string> {
  const own = signature(head, sizeBytes)
  if (own) return own
  // Loaded for the first file that is no JPEG: 17 MB that a converter of photos does without. So are the other parsers.
  const { fileTypeFromFile } = await import('file-type')
  const detected = await fileTypeFromFile(path).catch(() => undefined)
  // file-type calls every XML document application/xml; the text sniff knows the vocabularies.
  if (detected && detected.mime !== 'application/xml') return canonicalMimeType(detected.mime)
  const text = sniffText(head, sizeBytes > head.length, extension)
  if (text ?? detected) return text ?? canonicalMimeType(detected?.mime ?? '')
  await using archive = await ZipFile.open(path)
  return archive ? 'application/zip' : 'application/octet-stream'
}

/** Signatures that file-type does not know or reads differently. */
function signature(head: Buffer, sizeBytes: number): string | undefined {
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'image/jpeg'
  const ascii = head.subarray(0, 64).toString('latin1')
  if (ascii.startsWith('ftypmif3', 4)) return 'image/heif'
  const packed = packedType(head)
  if (packed) return packed
  if (ascii.startsWith('\0MRM')) return 'image/x-minolta-mrw'
  if (ascii.startsWith('gimp xcf')) return 'image/x-xcf'
  if (ascii.startsWith('Kaydara FBX Binary')) return 'model/fbx'
  if (ascii.startsWith('BLENDER')) return 'application/x-blender'
  if (/^ply\r?\n/.test(ascii)) return 'model/ply'
  if (ascii.startsWith('%!PS') || (head.length > 4 && head.readUInt32BE(0) === 0xc5d0d3c6))
    return 'application/postscript'
  if (/^P[1-7][\s#]/.test(ascii)) return 'image/x-portable-anymap'
  if (ascii.startsWith('#?RADIANCE') || ascii.startsWith('#?RGBE')) return 'image/vnd.radiance'
  if (ascii.startsWith('SDPX') || ascii.startsWith('XPDS')) return 'image/x-dpx'
  if (head.length > 36 && head.readUInt16LE(34) === 0x504c && head.readUInt32LE(0) === sizeBytes)
    return 'application/vnd.ms-fontobject'
  if (head.length >= 84 && sizeBytes === 84 + 50 * head.readUInt32LE(80)) return 'model/stl'
  if (
    /^[\s\S]{0,1024}?%PDF-\d/.test(head.subarray(0, 1100).toString('latin1')) &&
    !/^\s*<|^[\x00-\x08]|^\xff\xd8|^PK|^GIF8|^\x89PNG/.test(ascii)
  )
    return 'application/pdf'
  return undefined
}

/** ZIP containers that name their type in a first, uncompressed member `mimetype`. */
function packedType(head: Buffer): string | undefined {
  if (
    head.length < 60 ||
    head.readUInt32LE(0) !== 0x04034b50 ||
    head.toString('latin1', 30, 38) !== 'mimetype' ||
    head.readUInt16LE(26) !== 8
  )
    return undefined
  const start = 38 + head.readUInt16LE(28)
  const stated = head.toString('latin1', start, start + Math.min(100, head.readUInt32LE(18)))
  return stated === 'image/openraster' || stated === 'application/x-krita' ? stated : undefined
}

async function readHead(path: string): Promise<{ head: Buffer; sizeBytes: number }> {
  let file: FileHandle | undefined
  try {
    file = await open(path)
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.min(size, headBytes))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    return { head: buffer.subarray(0, bytesRead), sizeBytes: size }
  } finally {
    await file?.close()
  }
}
