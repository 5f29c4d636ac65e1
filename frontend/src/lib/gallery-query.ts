import { pathOf } from '@dam/contract/client'
import type { AssetFilters, AssetSummary, AssetType, ListQuery } from '@dam/contract/types'

export type Status = AssetSummary['status']

/** What the gallery shows: the part of the URL that selects and orders assets. */
export type GalleryQuery = {
  q: string
  type: AssetType[]
  tags: string[]
  /** `2024`, `2024-05`, `2024-05-17` or `2024-05-01..2024-05-17` */
  date: string
  collection: number | null
  status: Status[]
  /** Empty: newest first, or most relevant with `q`. */
  sort: string
  trash: boolean
}

export const defaultOrdering = '-date_added'

export const emptyQuery: GalleryQuery = {
  q: '',
  type: [],
  tags: [],
  date: '',
  collection: null,
  status: [],
  sort: '',
  trash: false,
}

const assetTypes: readonly AssetType[] = ['image', 'video', 'audio', 'document', 'model', 'font', 'archive', 'other']
const statuses: readonly Status[] = ['processing', 'ready', 'failed']
export const sortFields = ['date_added', 'date', 'date_modified', 'label', 'filename', 'size'] as const
export type SortField = (typeof sortFields)[number]

const datePattern = /^\d{4}(-\d{2}(-\d{2}(\.\.\d{4}-\d{2}-\d{2})?)?)?$/

/** Reads the query of a page. Anything that is not understood is left out: a URL typed by hand never breaks the page. */
export function parseGalleryQuery(search: string, place: { collection?: number; trash?: boolean } = {}): GalleryQuery {
  const params = new URLSearchParams(search)
  const list = (name: string): string[] =>
    (params.get(name) ?? '')
      .split(',')
      .map((value) => value.trim())
      .filter(Boolean)
  const sort = params.get('sort') ?? ''
  const date = params.get('date') ?? ''
  const collection = place.collection ?? Number(params.get('collection') ?? Number.NaN)
  return {
    q: (params.get('q') ?? '').trim().slice(0, 500),
    type: list('type').filter((value): value is AssetType => (assetTypes as readonly string[]).includes(value)),
    tags: [
      ...new Set(
        params
          .getAll('tag')
          .map((tag) => tag.trim())
          .filter(Boolean),
      ),
    ],
    date: datePattern.test(date) ? date : '',
    collection: Number.isSafeInteger(collection) && collection > 0 ? collection : null,
    status: list('status').filter((value): value is Status => (statuses as readonly string[]).includes(value)),
    sort: (sortFields as readonly string[]).includes(sort.replace(/^-/, '')) ? sort : '',
    trash: place.trash ?? params.get('trash') === '1',
  }
}

/** The query string of a query, without what the path already says. Canonical: equal queries give equal strings. */
export function formatGalleryQuery(query: GalleryQuery, place: { collection?: boolean; trash?: boolean } = {}): string {
  const params = new URLSearchParams()
  if (query.q) params.set('q', query.q)
  if (query.type.length > 0) params.set('type', query.type.toSorted().join(','))
  for (const tag of query.tags.toSorted()) params.append('tag', tag)
  if (query.date) params.set('date', query.date)
  if (query.status.length > 0) params.set('status', query.status.toSorted().join(','))
  if (query.sort) params.set('sort', query.sort)
  if (query.collection !== null && !place.collection) params.set('collection', String(query.collection))
  if (query.trash && !place.trash) params.set('trash', '1')
  const text = params.toString()
  return text ? `?${text}` : ''
}

/** Address of the gallery that shows a query. */
export function galleryHref(query: GalleryQuery): string {
  if (query.trash) return `/dam/trash${formatGalleryQuery(query, { trash: true })}`
  if (query.collection !== null)
    return `/collections/${query.collection}${formatGalleryQuery(query, { collection: true })}`
  return `/dam/gallery${formatGalleryQuery(query)}`
}

/** Address of an asset that remembers the gallery it was opened from: its order is that of previous and next. */
export function assetHref(id: number, query: GalleryQuery): string {
  return `/dam/assets/${id}${formatGalleryQuery(query)}`
}

export function countFilters(query: GalleryQuery): number {
  return query.type.length + query.tags.length + (query.date ? 1 : 0) + query.status.length
}

/** A tag with a comma cannot travel in the comma-separated list parameter; JSON filters can carry it. */
export function needsSearch(query: GalleryQuery): boolean {
  return !query.trash && (query.q !== '' || query.tags.some((tag) => tag.includes(',')))
}

export function toListQuery(query: GalleryQuery): ListQuery {
  return {
    ...(query.q ? { q: query.q } : {}),
    ...(query.type.length > 0 ? { type: query.type.join(',') } : {}),
    ...(query.tags.length > 0 ? { tags: query.tags.join(',') } : {}),
    ...(query.date ? { date: query.date } : {}),
    ...(query.collection === null ? {} : { collection: query.collection }),
    ...(query.status.length > 0 ? { status: query.status.join(',') } : {}),
    ...(query.trash ? (query.sort ? { ordering: query.sort } : {}) : { ordering: query.sort || defaultOrdering }),
  }
}

export function toFilters(query: GalleryQuery): AssetFilters {
  const range = dateRange(query.date)
  return {
    ...(query.type.length > 0 ? { type: query.type } : {}),
    ...(query.tags.length > 0 ? { tags: query.tags } : {}),
    ...(range ? { date_range: range } : {}),
    ...(query.collection === null ? {} : { collection: query.collection }),
    ...(query.status.length > 0 ? { status: query.status } : {}),
  }
}

/** First and last day of `2024`, `2024-05`, a day or a range; both included. */
export function dateRange(date: string): { from: string; to: string } | null {
  if (!datePattern.test(date)) return null
  if (date.includes('..')) {
    const [from, to] = date.split('..') as [string, string]
    return from <= to ? { from, to } : { from: to, to: from }
  }
  if (date.length === 10) return { from: date, to: date }
  if (date.length === 4) return { from: `${date}-01-01`, to: `${date}-12-31` }
  const [year, month] = date.split('-').map(Number) as [number, number]
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return { from: `${date}-01`, to: `${date}-${String(lastDay).padStart(2, '0')}` }
}

/** The first page is small: it is what a person waits for. */
export const firstPageSize = 60
export const pageSize = 100

export function pageQuery(query: GalleryQuery, cursor: string): Record<string, unknown> {
  return { ...toListQuery(query), limit: cursor === '' ? firstPageSize : pageSize, cursor }
}

/** URL of the first request of a gallery, to start it before the application has loaded. */
export function firstPageUrl(query: GalleryQuery): string | null {
  return needsSearch(query) ? null : pathOf(query.trash ? 'listTrash' : 'listAssets', {}, pageQuery(query, ''))
}
