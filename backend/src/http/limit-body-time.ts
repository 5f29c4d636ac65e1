import type { IncomingMessage } from 'node:http'

/** Cuts the connection of a client that has not sent the whole body after `limitMs`, read or not. */
export function limitBodyTime(request: IncomingMessage, limitMs: number): void {
  if (
    request.complete ||
    (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined)
  )
    return
  const timer = setTimeout(() => request.destroy(), limitMs).unref()
  const stop = (): void => clearTimeout(timer)
  request.once('end', stop).once('close', stop)
}
