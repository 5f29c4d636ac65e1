import type { RouteClass } from './front-api.ts'

/** Which class a request belongs to, by method and path without its query. */
export function routeClassOf(method: string, path: string): RouteClass {
  if (!path.startsWith('/api/')) return 'page'
  if (path.startsWith('/api/v4/events/stream')) return 'stream'
  const carriesBytes = method === 'POST' || method === 'PATCH' || method === 'PUT'
  if (carriesBytes && isUpload(path)) return 'upload'
  if (renders.test(path)) return 'render'
  return 'api'
}

const renders = /^\/api\/v4\/dam\/assets\/[^/]+\/(download|renditions|thumbnail|preview)(\/|$)/
const assetWithBody = /^\/api\/v4\/dam\/assets\/(upload\/?|\d+\/?)?$/

function isUpload(path: string): boolean {
  if (path.startsWith('/api/v4/uploads')) return !path.startsWith('/api/v4/uploads/preflight')
  return assetWithBody.test(path)
}

/** Methods that change nothing. */
export const isSafeMethod = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/** Whether the request only reads, though its method may be POST: search carries its question in the body. */
export const readsOnly = (method: string, path: string): boolean =>
  isSafeMethod(method) || (method === 'POST' && /^\/api\/v4\/dam\/assets\/search\/?$/.test(path))

/** Signing in and out, which works in read-only maintenance. */
export const isSignIn = (path: string): boolean => /^\/api\/v4\/auth\/(login|logout|token\/obtain)\/?$/.test(path)
