import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answerBuiltFile, readBuiltFiles, type BuiltFile } from '@dam/platform/http/built-files'

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>DAM</title><body><h1>The web application is not built</h1><p>Run <code>./dam up</code>, or <code>cd frontend; pnpm install; pnpm build</code>, and restart. The API works meanwhile.</p></body></html>`

/**
 * Serves the built frontend as it was when this process started, so that a build beside a running server changes nothing until the
 * restart: hashed files for ever and precompressed, every other path that a browser opens as the application itself.
 */
export function webApplication(app: FastifyInstance, directory: string, pageHeaders: Record<string, string>): void {
  const files = readBuiltFiles(directory)
  const index = files.get('/index.html')
  const send = (file: BuiltFile, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { status, headers, body } = answerBuiltFile(file, request.headers)
    return reply.code(status).headers(pageHeaders).headers(headers).send(body)
  }
  app.get('/*', (request, reply) => {
    const pathname = request.url.split('?', 1)[0] ?? ''
    const file = files.get(pathname)
    if (file) return send(file, request, reply)
    if (pathname.startsWith('/api/') || /\.[a-z0-9]{1,12}$/i.test(pathname)) return reply.callNotFound()
    if (index) return send(index, request, reply)
    return reply.code(503).headers(pageHeaders).type('text/html; charset=utf-8').send(notBuilt)
  })
}
