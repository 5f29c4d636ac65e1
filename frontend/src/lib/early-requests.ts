/** Requests started before the application was loaded, by exact URL. Each is handed out once, while it is fresh. */
const early = new Map<string, { response: Promise<Response>; atMs: number }>()
const freshMs = 10_000
const flag = 'dam.signed-in'

export function requestEarly(url: string): void {
  const response = fetch(url, { headers: { Accept: 'application/json' } })
  response.catch(() => early.delete(url))
  early.set(url, { response, atMs: performance.now() })
}

/** `fetch` that answers from an early request where one was made for the same URL and went well. */
export const fetchOrEarly: typeof fetch = async (input, init) => {
  const url = typeof input === 'string' ? input : ''
  const found = (init?.method ?? 'GET') === 'GET' ? early.get(url) : undefined
  early.delete(url)
  if (!found || performance.now() - found.atMs > freshMs) return fetch(input, init)
  const response = await found.response
  return response.ok ? response : fetch(input, init)
}

/** Whether the last session known here was signed in: asking early for a list is worth it only then. */
export function wasSignedIn(): boolean {
  try {
    return localStorage.getItem(flag) === '1'
  } catch {
    return false
  }
}

export function rememberSignedIn(isSignedIn: boolean): void {
  try {
    if (isSignedIn) localStorage.setItem(flag, '1')
    else localStorage.removeItem(flag)
  } catch {
    // Without storage the list is asked for a moment later.
  }
}
