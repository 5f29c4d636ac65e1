import type { AssetSummary, SearchResult } from '@dam/contract/types'
import { infiniteQueryOptions, type InfiniteData, type QueryClient } from '@tanstack/react-query'
import { api } from './api.ts'
import {
  firstPageSize,
  formatGalleryQuery,
  needsSearch,
  pageQuery,
  pageSize,
  toFilters,
  type GalleryQuery,
} from './gallery-query.ts'

export type AssetPage = {
  count: number
  count_is_estimate?: boolean | undefined
  next: string | null
  previous: string | null
  results: AssetSummary[]
  facets?: SearchResult['facets']
}
/** Keyset cursor of the list (empty at the top), or offset of a search. */
export type PagePosition = string | number
export type AssetPages = InfiniteData<AssetPage, PagePosition>

/** The search endpoint pages by offset up to here. */
const searchDepth = 10_000

export const listKey = 'asset-list'

export async function fetchPage(query: GalleryQuery, position: PagePosition, signal?: AbortSignal): Promise<AssetPage> {
  const options = signal ? { signal } : {}
  if (needsSearch(query)) {
    const offset = Number(position)
    const { data } = await api(
      'searchAssets',
      {
        query: {},
        body: {
          q: query.q,
          filters: toFilters(query),
          ...(query.sort ? { sort: query.sort } : {}),
          limit: offset === 0 ? firstPageSize : pageSize,
          offset,
          facets: offset === 0 ? ['type', 'tags', 'year'] : [],
        },
      },
      options,
    )
    return data
  }
  const { data } = await api(
    query.trash ? 'listTrash' : 'listAssets',
    { query: pageQuery(query, String(position)) },
    options,
  )
  return data
}

export function nextPosition(page: AssetPage, position: PagePosition): PagePosition | undefined {
  if (page.next === null) return undefined
  if (typeof position === 'number') {
    const offset = position + page.results.length
    return offset < searchDepth && page.results.length > 0 ? offset : undefined
  }
  return new URL(page.next, window.location.href).searchParams.get('cursor') ?? undefined
}

/**
 * Pages of one gallery. Never refetched as a whole: changes arrive as patches (`features/live`), so that what
 * a person looks at does not move.
 */
export function assetListOptions(query: GalleryQuery) {
  return infiniteQueryOptions<AssetPage, Error, AssetPages, readonly [string, string, string], PagePosition>({
    queryKey: [listKey, query.trash ? 'trash' : 'library', formatGalleryQuery(query)] as const,
    queryFn: ({ pageParam, signal }) => fetchPage(query, pageParam, signal),
    initialPageParam: needsSearch(query) ? 0 : '',
    getNextPageParam: (page: AssetPage, _pages: AssetPage[], position: PagePosition) => nextPosition(page, position),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10 * 60_000,
  })
}

export function flattenPages(data: AssetPages | undefined): AssetSummary[] {
  if (!data) return []
  const seen = new Set<number>()
  const assets: AssetSummary[] = []
  for (const page of data.pages)
    for (const asset of page.results)
      if (!seen.has(asset.id)) {
        seen.add(asset.id)
        assets.push(asset)
      }
  return assets
}

/** Replaces listed assets by newer ones; pages without any of them keep their identity. */
export function patchPages(data: AssetPages, newer: ReadonlyMap<number, AssetSummary>): AssetPages {
  let touched = false
  const pages = data.pages.map((page) => {
    if (!page.results.some((asset) => newer.has(asset.id))) return page
    touched = true
    return { ...page, results: page.results.map((asset) => newer.get(asset.id) ?? asset) }
  })
  return touched ? { ...data, pages } : data
}

/** Takes assets out and lowers every page's count by as many as were listed. */
export function removeFromPages(data: AssetPages, ids: ReadonlySet<number>): AssetPages {
  let removed = 0
  const pages = data.pages.map((page) => {
    const results = page.results.filter((asset) => !ids.has(asset.id))
    removed += page.results.length - results.length
    return results.length === page.results.length ? page : { ...page, results }
  })
  return removed === 0
    ? data
    : { ...data, pages: pages.map((page) => ({ ...page, count: Math.max(0, page.count - removed) })) }
}

/** Puts assets that a fresh first page has and the list has not at its top; all others of that page are patched in place. */
export function mergeFirstPage(data: AssetPages, fresh: AssetPage): AssetPages {
  const known = new Set(data.pages.flatMap((page) => page.results.map((asset) => asset.id)))
  const added = fresh.results.filter((asset) => !known.has(asset.id))
  const patched = patchPages(data, new Map(fresh.results.map((asset) => [asset.id, asset])))
  const [first, ...rest] = patched.pages
  if (!first) return { ...data, pages: [fresh] }
  return {
    ...patched,
    pages: [{ ...first, results: [...added, ...first.results] }, ...rest].map((page) => ({
      ...page,
      count: fresh.count,
      count_is_estimate: fresh.count_is_estimate,
    })),
  }
}

/** Whether a fresh first page follows on the loaded list without a hole between them. */
export function overlaps(data: AssetPages, fresh: AssetPage): boolean {
  if (fresh.next === null) return true
  const known = new Set(data.pages.flatMap((page) => page.results.map((asset) => asset.id)))
  return fresh.results.some((asset) => known.has(asset.id))
}

export function updateLists(client: QueryClient, update: (data: AssetPages) => AssetPages): void {
  client.setQueriesData<AssetPages>({ queryKey: [listKey] }, (data) => (data ? update(data) : data))
}

export const detailKey = (id: number) => ['asset', id] as const
export const timelineKey = (id: number) => ['asset-timeline', id] as const
