import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
}

export type BuiltFile = { bytes: Buffer; br?: Buffer; gz?: Buffer; type: string; etag: string; immutable: boolean }

/** Every file of a built web application by its path (`/index.html`), with its precompressed forms; empty when it is not built. */
export function readBuiltFiles(directory: string): Map<string, BuiltFile> {
  const files = new Map<string, BuiltFile>()
  if (!existsSync(directory)) return files
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
  const all = new Map(
    names.map((name) => [`/${name.split(path.sep).join('/')}`, readFileSync(path.join(directory, name))]),
  )
  for (const [name, bytes] of all) {
    if (/\.(br|gz)$/.test(name)) continue
    const br = all.get(`${name}.br`)
    const gz = all.get(`${name}.gz`)
    files.set(name, {
      bytes,
      ...(br ? { br } : {}),
      ...(gz ? { gz } : {}),
      type: types[path.extname(name)] ?? 'application/octet-stream',
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
      immutable: name.startsWith('/assets/'),
    })
  }
  return files
}

/** Status, headers and body that answer a GET for a file: revalidated by its hash, in the encoding the client takes. */
export function answerBuiltFile(
  file: BuiltFile,
  request: { 'if-none-match'?: string | undefined; 'accept-encoding'?: string | undefined },
): { status: 200 | 304; headers: Record<string, string>; body: Buffer | undefined } {
  const headers: Record<string, string> = {
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'Accept-Encoding',
    etag: file.etag,
  }
  if (request['if-none-match'] === file.etag) return { status: 304, headers, body: undefined }
  headers['content-type'] = file.type
  const accepted = request['accept-encoding'] ?? ''
  const encoded = file.br && /\bbr\b/.test(accepted) ? 'br' : file.gz && /\bgzip\b/.test(accepted) ? 'gz' : null
  if (encoded === null) return { status: 200, headers, body: file.bytes }
  headers['content-encoding'] = encoded === 'br' ? 'br' : 'gzip'
  return { status: 200, headers, body: file[encoded] }
}
