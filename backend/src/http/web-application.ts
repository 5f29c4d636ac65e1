import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>DAM</title><body><h1>The web application is not built</h1><p>Run <code>./dam up</code>, or <code>cd frontend; pnpm install; pnpm build</code>, and reload. The API works meanwhile.</p></body></html>`

/** Serves the built frontend: hashed files for ever and precompressed, every other path that a browser opens as the application itself. */
export async function webApplication(app: FastifyInstance, directory: string, pageHeaders: Record<string, string>): Promise<void> {
  const indexFile = path.join(directory, 'index.html')
  if (existsSync(directory)) {
    await app.register(fastifyStatic, {
      root: directory,
      prefix: '/',
      index: false,
      wildcard: false,
      preCompressed: true,
      cacheControl: false,
      decorateReply: false,
      setHeaders: (reply, file) => {
        for (const [name, value] of Object.entries(pageHeaders)) void reply.header(name, value)
        void reply.header('cache-control', file.includes(`${path.sep}assets${path.sep}`) ? 'public, max-age=31536000, immutable' : 'no-cache')
      },
    })
  }
  const page = existsSync(indexFile) ? readFileSync(indexFile) : undefined
  app.get('/*', async (request, reply) => {
    const pathname = request.url.split('?', 1)[0] ?? ''
    const last = pathname.split('/').at(-1) ?? ''
    if (pathname.startsWith('/api/') || /\.[a-z0-9]{1,8}$/i.test(last)) return reply.callNotFound()
    void reply.headers(pageHeaders).header('cache-control', 'no-cache').type('text/html; charset=utf-8')
    return page ? reply.send(page) : reply.code(503).send(notBuilt)
  })
}
