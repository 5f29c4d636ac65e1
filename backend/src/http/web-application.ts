import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, existsSync } from 'node:fs'
import path from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>DAM</title><body><h1>The web application is not built</h1><p>Run <code>./dam up</code>, or <code>cd frontend; pnpm install; pnpm build</code>, and restart. The API works meanwhile.</p></body></html>`

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

type File = { bytes: Buffer; br?: Buffer; gz?: Buffer; type: string; etag: string; immutable: boolean }

/**
 * Serves the built frontend as it was when this process started, so that a build beside a running server changes nothing until the
 * restart: hashed files for ever and precompressed, every other path that a browser opens as the application itself.
 */
export function webApplication(app: FastifyInstance, directory: string, pageHeaders: Record<string, string>): void {
  const files = readBuild(directory)
  const index = files.get('/index.html')
  app.get('/*', (request, reply) => {
    const pathname = request.url.split('?', 1)[0] ?? ''
    const file = files.get(pathname)
    if (file) return send(file, request, reply, pageHeaders)
    if (pathname.startsWith('/api/') || /\.[a-z0-9]{1,12}$/i.test(pathname)) return reply.callNotFound()
    if (index) return send(index, request, reply, pageHeaders)
    return reply.code(503).headers(pageHeaders).type('text/html; charset=utf-8').send(notBuilt)
  })
}

function send(
  file: File,
  request: FastifyRequest,
  reply: FastifyReply,
  pageHeaders: Record<string, string>,
): FastifyReply {
  void reply
    .headers(pageHeaders)
    .header('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    .header('vary', 'Accept-Encoding')
    .header('etag', file.etag)
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send()
  void reply.type(file.type)
  const accepted = request.headers['accept-encoding'] ?? ''
  if (file.br && /\bbr\b/.test(accepted)) return reply.header('content-encoding', 'br').send(file.br)
  if (file.gz && /\bgzip\b/.test(accepted)) return reply.header('content-encoding', 'gzip').send(file.gz)
  return reply.send(file.bytes)
}

function readBuild(directory: string): Map<string, File> {
  const files = new Map<string, File>()
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
