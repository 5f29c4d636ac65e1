import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Injected } from './variants.ts'

export type EdgeFault = 'stale' | 'missing' | 'failing' | 'down' | 'headers'

/** A caching proxy that is at fault. Asked with the method PURGE it forgets its fault, as a CDN forgets what it kept. */
export async function startEdge(input: {
  originUrl: string
  fault: EdgeFault
  ageSeconds: number
}): Promise<Injected & { cdnUrl: string }> {
  let { fault }: { fault: EdgeFault | 'none' } = input
  const server = createServer((request, response) => {
    if (request.method === 'PURGE') {
      fault = 'none'
      response.end('purged\n')
      return
    }
    const isFile = request.url?.startsWith('/assets/') ?? false
    if (fault === 'failing') response.writeHead(503).end('no upstream\n')
    else if (fault === 'missing' && isFile) response.writeHead(404).end('not found\n')
    else
      fetch(`${input.originUrl}${request.url ?? '/'}`, { headers: { 'accept-encoding': 'identity' } }).then(
        async (answer) => {
          const body = Buffer.from(await answer.arrayBuffer())
          const isOld = fault === 'stale' && !isFile
          response.writeHead(answer.status, {
            'content-type': answer.headers.get('content-type') ?? 'application/octet-stream',
            'cache-control': fault === 'headers' ? 'no-store' : (answer.headers.get('cache-control') ?? ''),
            ...(isOld
              ? { age: String(input.ageSeconds), etag: '"before"' }
              : { etag: answer.headers.get('etag') ?? '' }),
          })
          response.end(isOld ? Buffer.concat([body, Buffer.from('<!-- the release before -->')]) : body)
        },
        () => response.writeHead(502).end('origin away\n'),
      )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cdnUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  if (input.fault === 'down') await close()
  return { cdnUrl, close: input.fault === 'down' ? async () => undefined : close }
}
