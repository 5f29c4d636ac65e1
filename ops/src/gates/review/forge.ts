/** What the place where changes are reviewed says of one commit. */
export type Approval =
  | { state: 'approved'; by: string[]; link: string }
  | { state: 'not-approved'; because: string }
  /** It did not answer, or not in a way that is understood. */
  | { state: 'unknown'; because: string }

export type Forge = { name: string; approvalOf(commit: string): Promise<Approval> }

/** An answer that says nothing either way; the message says what came. */
export class ForgeSilence extends Error {
  override readonly name = 'ForgeSilence'
}

const largestPages = 20

/** Reads every page of a list. 404 is null; anything else that is not 200 with a list is a `ForgeSilence`. */
export async function readList(
  url: URL,
  headers: Record<string, string>,
  timeoutMs = 10_000,
): Promise<unknown[] | null> {
  const all: unknown[] = []
  let next: URL | null = url
  for (let page = 0; next && page < largestPages; page++) {
    const { body, following } = await readPage(next, headers, timeoutMs)
    if (body === null) return null
    if (!Array.isArray(body)) throw new ForgeSilence(`${next.host} answered ${next.pathname} without a list`)
    all.push(...(body as unknown[]))
    // A link to another server would be sent our token.
    if (following && following.origin !== url.origin)
      throw new ForgeSilence(`${url.host} sends on to ${following.host}`)
    next = following
  }
  if (next) throw new ForgeSilence(`${url.host} has more than ${largestPages} pages for ${url.pathname}`)
  return all
}

/** Reads one JSON answer; null for 404. */
export async function readObject(
  url: URL,
  headers: Record<string, string>,
  timeoutMs = 10_000,
): Promise<Record<string, unknown> | null> {
  const { body } = await readPage(url, headers, timeoutMs)
  if (body === null) return null
  if (typeof body !== 'object' || Array.isArray(body))
    throw new ForgeSilence(`${url.host} answered ${url.pathname} without an object`)
  return body as Record<string, unknown>
}

async function readPage(
  url: URL,
  headers: Record<string, string>,
  timeoutMs: number,
): Promise<{ body: unknown; following: URL | null }> {
  let response: Response
  let text: string
  try {
    response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
    text = await response.text()
  } catch (error) {
    const cause =
      error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error)
    throw new ForgeSilence(`${url.host} does not answer: ${cause}`)
  }
  if (response.status === 404) return { body: null, following: null }
  if (response.status !== 200) throw new ForgeSilence(`${url.host} answered ${response.status} for ${url.pathname}`)
  const link = /<([^>]+)>\s*;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
  try {
    return { body: JSON.parse(text), following: link ? new URL(link, url) : null }
  } catch {
    throw new ForgeSilence(`${url.host} answered ${url.pathname} with something that is not JSON`)
  }
}
