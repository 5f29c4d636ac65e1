import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '@dam/contract'

export const tusVersion = '1.0.0'
export const tusExtensions =
  'creation,creation-with-upload,creation-defer-length,checksum,termination,expiration,concatenation'
export const checksumAlgorithms = ['sha1', 'sha256', 'md5'] as const

/** Throws unless the request speaks tus 1.0. */
export function demandTusVersion(headers: IncomingHttpHeaders): void {
  if (headers['tus-resumable'] === tusVersion) return
  throw new Problem(
    'tus-version-unsupported',
    `Send the header Tus-Resumable: ${tusVersion}; this server speaks tus ${tusVersion} only.`,
  )
}

/** A header that holds a count of bytes, or undefined when it is not there. */
export function byteCount(headers: IncomingHttpHeaders, name: string): number | undefined {
  const text = headers[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (typeof text !== 'string' || !/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw new Problem('invalid-request', `The header ${name} takes a whole number of bytes.`)
  }
  return value
}

/** `Upload-Metadata`: keys with base64 values, as text. */
export function parseMetadata(header: string | undefined): Map<string, string> {
  const result = new Map<string, string>()
  if (header === undefined || header.trim() === '') return result
  for (const part of header.split(',')) {
    const [key, value = '', ...rest] = part.trim().split(' ')
    const isValid =
      key !== undefined &&
      /^[\x21-\x2b\x2d-\x7e]+$/.test(key) &&
      !result.has(key) &&
      rest.length === 0 &&
      /^[A-Za-z0-9+/]*={0,2}$/.test(value)
    if (!isValid)
      throw new Problem(
        'invalid-request',
        'Upload-Metadata takes pairs of a key and a base64 value, separated by commas, each key once.',
      )
    result.set(key, Buffer.from(value, 'base64').toString('utf8'))
  }
  return result
}

export type UploadChecksum = { algorithm: (typeof checksumAlgorithms)[number]; digest: Buffer }

/** `Upload-Checksum`: algorithm and base64 digest of the body of this request. */
export function parseChecksum(header: string | string[] | undefined): UploadChecksum | undefined {
  if (header === undefined) return undefined
  const [name, value, ...rest] = String(header).split(' ')
  const algorithm = checksumAlgorithms.find((known) => known === name)
  if (!algorithm)
    throw new Problem('checksum-unsupported', `Upload-Checksum takes one of ${checksumAlgorithms.join(', ')}.`)
  if (value === undefined || rest.length > 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) {
    throw new Problem('invalid-request', 'Upload-Checksum takes an algorithm, a space and the digest in base64.')
  }
  return { algorithm, digest: Buffer.from(value, 'base64') }
}

export type Concatenation = { kind: 'partial' } | { kind: 'final'; partIds: string[] }

const partUrl = /\/api\/v4\/uploads\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/?$/i

/** `Upload-Concat`: one part of a file, or the file made of such parts. */
export function parseConcat(header: string | string[] | undefined): Concatenation | undefined {
  if (header === undefined) return undefined
  if (header === 'partial') return { kind: 'partial' }
  const urls = /^final;\s*(\S.*)$/.exec(String(header))?.[1]?.trim().split(/\s+/)
  const partIds = urls?.map((url) => partUrl.exec(url)?.[1]?.toLowerCase())
  if (!partIds || partIds.length > 1000 || partIds.some((id) => id === undefined)) {
    throw new Problem(
      'invalid-request',
      'Upload-Concat takes partial, or final; followed by the addresses of at most 1000 partial uploads.',
    )
  }
  return { kind: 'final', partIds: partIds as string[] }
}
