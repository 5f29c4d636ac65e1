import { Problem, type Page } from '@dam/contract'

/** The list envelope for page-numbered results, with absolute links that keep the other query parameters. */
export function pageOf<T>(input: {
  results: T[]
  count: number
  countIsEstimate?: boolean
  page: number
  pageSize: number
  origin: string
  url: string
}): Page<T> {
  const { page, pageSize, count } = input
  if (page > 1 && input.results.length === 0) throw new Problem('invalid-page', 'Invalid page.')
  const link = (number: number): string => {
    const url = new URL(input.url, input.origin)
    url.searchParams.set('page', String(number))
    return url.href
  }
  return {
    count,
    ...(input.countIsEstimate ? { count_is_estimate: true } : {}),
    next: page * pageSize < count ? link(page + 1) : null,
    previous: page > 1 ? link(page - 1) : null,
    results: input.results,
  }
}
