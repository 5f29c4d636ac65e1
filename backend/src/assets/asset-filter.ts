import { Problem, type AssetFilters, type AssetType, type ListQuery } from '@dam/contract'
import { assetTypes } from '@dam/contract/schemas'

/** Which assets are meant, in its one canonical form. Absent: no such condition. Dates are days in UTC: from, up to but without `before`. */
export type AssetFilter = {
  text?: string
  types?: readonly AssetType[]
  mimeTypes?: readonly string[]
  tags?: readonly string[]
  dateFrom?: string
  dateBefore?: string
  sizeMin?: number
  sizeMax?: number
  collectionId?: number
  statuses?: readonly string[]
  previewStates?: readonly string[]
  ownerId?: number
  checksum?: string
  metadata?: Readonly<Record<string, string | number>>
}

type FilterQuery = Pick<
  ListQuery,
  | 'q'
  | 'search'
  | 'type'
  | 'mime_type'
  | 'tags'
  | 'date'
  | 'size_min'
  | 'size_max'
  | 'collection'
  | 'status'
  | 'preview_state'
  | 'owner'
  | 'checksum'
>

const statuses = ['processing', 'ready', 'failed'] as const
const previewStates = ['pending', 'ready', 'unavailable', 'failed', 'refused'] as const

/** Filters of a query string: lists are comma-separated (`\,` is a comma inside a value); an empty value is no filter. Throws `invalid-filter`. */
export function filterOfQuery(query: FilterQuery): AssetFilter {
  return {
    ...textOf(query.q ?? query.search),
    ...given('types', oneOfEach('type', splitList(query.type), assetTypes)),
    ...given('mimeTypes', splitList(query.mime_type)),
    ...given('tags', splitList(query.tags)),
    ...daysOf(query.date),
    ...given('sizeMin', query.size_min),
    ...given('sizeMax', query.size_max),
    ...given('collectionId', query.collection),
    ...given('statuses', oneOfEach('status', splitList(query.status), statuses)),
    ...given('previewStates', oneOfEach('preview_state', splitList(query.preview_state), previewStates)),
    ...given('ownerId', query.owner),
    ...given('checksum', checksumOf(query.checksum)),
  }
}

/** Filters of a JSON body, already parsed by the contract. An empty list is no filter. */
export function filterOfBody(filters: AssetFilters, text?: string): AssetFilter {
  const { from, to } = filters.date_range ?? {}
  if (from !== undefined && to !== undefined && from > to) throw badDate(`${from}..${to}`)
  return {
    ...textOf(text),
    ...given('types', filters.type),
    ...given('mimeTypes', filters.mime_type),
    ...given('tags', filters.tags),
    ...given('dateFrom', from),
    ...given('dateBefore', to === undefined ? undefined : dayAfter(to)),
    ...given('sizeMin', filters.size?.min),
    ...given('sizeMax', filters.size?.max),
    ...given('collectionId', filters.collection),
    ...given('statuses', filters.status),
    ...given('previewStates', filters.preview_state),
    ...given('ownerId', filters.owner),
    ...given('checksum', filters.checksum),
    ...given('metadata', filters.custom_metadata),
  }
}

/** True where nothing but these keys is asked for. */
export const asksOnlyFor = (filter: AssetFilter, ...keys: (keyof AssetFilter)[]): boolean =>
  Object.keys(filter).every((key) => keys.includes(key as keyof AssetFilter))

function textOf(text: string | undefined): AssetFilter {
  const typed = text?.replaceAll('\0', ' ')
  return typed === undefined || typed.trim() === '' ? {} : { text: typed }
}

type NotGiven = undefined | readonly []

function given<K extends keyof AssetFilter>(key: K, value: AssetFilter[K] | NotGiven): AssetFilter {
  return value === undefined || (Array.isArray(value) && value.length === 0) ? {} : { [key]: value }
}

function splitList(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined
  const parts = text.match(/(?:\\.|[^,\\]|\\$)+/gsu) ?? []
  return parts.map((part) => part.replace(/\\(.)/gsu, '$1').trim()).filter((part) => part !== '')
}

function oneOfEach<T extends string>(
  name: string,
  values: readonly string[] | undefined,
  allowed: readonly T[],
): T[] | undefined {
  const wrong = values?.find((value) => !allowed.includes(value as T))
  if (wrong !== undefined) {
    const message = `${JSON.stringify(wrong)} is not known. Allowed: ${allowed.join(', ')}.`
    throw new Problem('invalid-filter', `${name}: ${message}`, { fields: { [name]: [message] }, details: { allowed } })
  }
  return values as T[] | undefined
}

function checksumOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  const checksum = text.toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(checksum)) {
    throw new Problem('invalid-filter', 'checksum: give the SHA-256 as 64 hexadecimal digits.', {
      fields: { checksum: ['Give the SHA-256 as 64 hexadecimal digits.'] },
    })
  }
  return checksum
}

function daysOf(text: string | undefined): AssetFilter {
  if (text === undefined || text.trim() === '') return {}
  const match = /^([\d-]*)(?:(\.\.)([\d-]*))?$/.exec(text.trim())
  if (!match) throw badDate(text)
  const [, start = '', range, end = ''] = match
  if (range !== undefined && start === '' && end === '') throw badDate(text)
  const from = start === '' ? undefined : periodOf(start, text).from
  const before =
    range === undefined ? periodOf(start, text).before : end === '' ? undefined : periodOf(end, text).before
  if (from !== undefined && before !== undefined && from >= before) throw badDate(text)
  return { ...given('dateFrom', from), ...given('dateBefore', before) }
}

function periodOf(text: string, whole: string): { from: string; before: string } {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text)
  if (!match) throw badDate(whole)
  const [, year, month, day] = match
  const start = new Date(`${year}-${month ?? '01'}-${day ?? '01'}T00:00:00Z`)
  const from = Number.isNaN(start.getTime()) ? '' : start.toISOString().slice(0, 10)
  if (from !== `${year}-${month ?? '01'}-${day ?? '01'}` || year === '0000' || year === '9999') throw badDate(whole)
  if (day !== undefined) return { from, before: dayAfter(from) }
  const next = new Date(start)
  if (month === undefined) next.setUTCFullYear(Number(year) + 1)
  else next.setUTCMonth(start.getUTCMonth() + 1)
  return { from, before: next.toISOString().slice(0, 10) }
}

function dayAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + 1)
  const after = date.toISOString()
  if (!/^\d{4}-/.test(after)) throw badDate(day)
  return after.slice(0, 10)
}

const badDate = (text: string): Problem =>
  new Problem(
    'invalid-filter',
    `date: ${JSON.stringify(text)} is not understood. Write 2024, 2024-05, 2024-05-17 or 2024-05-01..2024-05-17.`,
    {
      fields: { date: ['Write 2024, 2024-05, 2024-05-17 or 2024-05-01..2024-05-17.'] },
    },
  )
