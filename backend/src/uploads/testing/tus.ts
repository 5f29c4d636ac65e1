import { createHash, randomBytes } from 'node:crypto'
import type { UploadServer } from './upload-server.ts'

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
export const bytesOf = (size: number): Buffer => randomBytes(size)

const base64 = (text: string): string => Buffer.from(text).toString('base64')

export const metadataHeader = (metadata: Record<string, string>): string =>
  Object.entries(metadata)
    .map(([key, value]) => `${key} ${base64(value)}`)
    .join(',')

const version = { 'tus-resumable': '1.0.0' }

/** The requests of tus by hand, for what a well-behaved client would not send. */
export const tusClient = (server: Pick<UploadServer, 'fetch'>, identity: Record<string, string> = {}) => ({
  create: (headers: Record<string, string>, body?: Buffer): Promise<Response> =>
    server.fetch('/api/v4/uploads/', {
      method: 'POST',
      headers: {
        ...version,
        ...identity,
        ...(body ? { 'content-type': 'application/offset+octet-stream' } : {}),
        ...headers,
      },
      ...(body ? { body: new Uint8Array(body) } : {}),
    }),
  patch: (
    url: string,
    offset: number,
    body: Buffer | ReadableStream,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    server.fetch(url, {
      method: 'PATCH',
      headers: {
        ...version,
        ...identity,
        'upload-offset': String(offset),
        'content-type': 'application/offset+octet-stream',
        ...headers,
      },
      body: Buffer.isBuffer(body) ? new Uint8Array(body) : body,
      ...(Buffer.isBuffer(body) ? {} : { duplex: 'half' as const }),
    }),
  head: (url: string, headers: Record<string, string> = {}): Promise<Response> =>
    server.fetch(url, { method: 'HEAD', headers: { ...version, ...identity, ...headers } }),
  cancel: (url: string): Promise<Response> =>
    server.fetch(url, { method: 'DELETE', headers: { ...version, ...identity } }),
})

export const locationOf = (response: Response): string => {
  const location = response.headers.get('location')
  if (!location) throw new Error(`no Location: ${response.status}`)
  return location
}

export const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { code: string } }).error.code
