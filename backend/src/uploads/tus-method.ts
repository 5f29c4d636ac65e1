import type { IncomingMessage } from 'node:http'
import { apiBase } from '@dam/contract'

const allowed = new Set(['PATCH', 'DELETE', 'HEAD'])

/** Clients that cannot send every method name it in a header of a POST; tus allows that, and only uploads do here. Call before routing. */
export function applyTusMethod(request: IncomingMessage): void {
  const method = request.headers['x-http-method-override']
  if (method === undefined || request.method !== 'POST' || !request.url?.startsWith(`${apiBase}/uploads/`)) return
  if (typeof method === 'string' && allowed.has(method.toUpperCase())) request.method = method.toUpperCase()
}
