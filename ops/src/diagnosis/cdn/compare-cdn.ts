import { createHash } from 'node:crypto'
import { NotThere, reasonOf } from '../probe.ts'

/** One address as one side answers it. */
export type SideAnswer = {
  status: number | null
  etag: string
  cacheControl: string
  ageSeconds: number | null
  bytes: number
  sha256: string
  tookMs: number
  because: string
}
export type Compared = { path: string; edge: SideAnswer; origin: SideAnswer; verdict: CdnVerdict; because: string }
export type CdnVerdict = 'same' | 'edge-down' | 'edge-fails' | 'edge-missing' | 'stale' | 'headers' | 'origin-fails'
export type CdnComparison = { cdnUrl: string; originUrl: string; compared: Compared[] }

const boundMs = 2_000

/** The same addresses at edge and origin: the page, two of its hashed files, and what else is named. */
export async function compareCdn(input: {
  cdnUrl: string | null
  originUrl: string
  paths?: readonly string[]
  headers?: Record<string, string>
}): Promise<CdnComparison> {
  if (input.cdnUrl === null) throw new NotThere('no CDN is entered (service.cdnUrl in the policy)')
  const cdnUrl = input.cdnUrl.replace(/\/+$/, '')
  const page = await ask(`${input.originUrl}/`, input.headers)
  const paths = [...new Set([...(input.paths ?? []), '/', ...hashedFilesOf(page.text).slice(0, 2)])]
  const compared = await Promise.all(
    paths.map(async (path) => {
      const [{ answer: edge }, { answer: origin }] = await Promise.all([
        ask(`${cdnUrl}${path}`),
        ask(`${input.originUrl}${path}`, input.headers),
      ])
      return { path, edge, origin, ...judgeSides(path, edge, origin) }
    }),
  )
  if (compared.every(({ edge }) => /ENOTFOUND|EAI_AGAIN/.test(edge.because)))
    throw new NotThere(
      `the name of ${cdnUrl} is not known here: enter the address of your CDN as service.cdnUrl in the policy`,
    )
  return { cdnUrl, originUrl: input.originUrl, compared }
}

/** What the two answers mean together. */
export function judgeSides(
  path: string,
  edge: SideAnswer,
  origin: SideAnswer,
): { verdict: CdnVerdict; because: string } {
  if (origin.status === null || origin.status >= 500)
    return { verdict: 'origin-fails', because: `the origin itself answers ${origin.status ?? origin.because}` }
  if (edge.status === null) return { verdict: 'edge-down', because: `no answer at the edge: ${edge.because}` }
  if (edge.status >= 500)
    return { verdict: 'edge-fails', because: `${edge.status} at the edge, ${origin.status} at the origin` }
  if (edge.status >= 400 && origin.status < 400)
    return { verdict: 'edge-missing', because: `${edge.status} at the edge, ${origin.status} at the origin` }
  if (edge.sha256 !== origin.sha256) {
    const age = edge.ageSeconds === null ? '' : `, ${edge.ageSeconds} s old`
    return {
      verdict: 'stale',
      because: `other content at the edge (${edge.bytes} bytes${age}${edge.etag ? `, etag ${edge.etag}` : ''}) than at the origin (${origin.bytes} bytes${origin.etag ? `, etag ${origin.etag}` : ''})`,
    }
  }
  if (edge.cacheControl !== origin.cacheControl)
    return {
      verdict: 'headers',
      because: `cache-control is "${edge.cacheControl}" at the edge and "${origin.cacheControl}" at the origin`,
    }
  if (isHashed(path) && !/immutable|max-age=(?!0)/.test(origin.cacheControl))
    return {
      verdict: 'headers',
      because: `the origin lets nobody keep this hashed file: cache-control "${origin.cacheControl}"`,
    }
  return { verdict: 'same', because: 'the same at edge and origin' }
}

const isHashed = (path: string): boolean => path.startsWith('/assets/')

export const hashedFilesOf = (page: string): string[] => [
  ...new Set([...page.matchAll(/["'](\/assets\/[\w./-]+\.(?:js|css|woff2))["']/g)].map(([, path]) => path ?? '')),
]

async function ask(url: string, headers: Record<string, string> = {}): Promise<{ answer: SideAnswer; text: string }> {
  const startedAt = performance.now()
  const took = (): number => Math.round(performance.now() - startedAt)
  try {
    const response = await fetch(url, {
      headers: { 'accept-encoding': 'identity', ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(boundMs),
    })
    const body = Buffer.from(await response.arrayBuffer())
    const age = response.headers.get('age')
    return {
      text: body.toString(),
      answer: {
        status: response.status,
        etag: response.headers.get('etag') ?? '',
        cacheControl: response.headers.get('cache-control') ?? '',
        ageSeconds: age === null ? null : Number(age),
        bytes: body.length,
        sha256: createHash('sha256').update(body).digest('hex'),
        tookMs: took(),
        because: '',
      },
    }
  } catch (error) {
    const answer = {
      status: null,
      etag: '',
      cacheControl: '',
      ageSeconds: null,
      bytes: 0,
      sha256: '',
      tookMs: took(),
      because: reasonOf(error),
    }
    return { text: '', answer }
  }
}
