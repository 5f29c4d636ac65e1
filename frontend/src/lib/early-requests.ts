/** Requests started before the application was loaded, by exact URL. Each is handed out once. */
const early = new Map<string, Promise<Response>>()

export function requestEarly(url: string): void {
  const response = fetch(url, { headers: { Accept: 'application/json' } })
  response.catch(() => early.delete(url))
  early.set(url, response)
}

/** `fetch` that answers from an early request where one was made for the same URL. */
export const fetchOrEarly: typeof fetch = (input, init) => {
  const url = typeof input === 'string' ? input : ''
  const found = (init?.method ?? 'GET') === 'GET' ? early.get(url) : undefined
  if (!found) return fetch(input, init)
  early.delete(url)
  return found
}
