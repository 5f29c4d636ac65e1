import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  assetHref,
  dateRange,
  emptyQuery,
  firstPageUrl,
  formatGalleryQuery,
  galleryHref,
  needsSearch,
  parseGalleryQuery,
  toFilters,
  toListQuery,
} from './gallery-query.ts'

describe('the gallery in the URL', () => {
  test('what is written can be read back', () => {
    const query = fc.record({
      q: fc.string({ maxLength: 50 }).map((text) => text.trim()),
      type: fc.uniqueArray(fc.constantFrom('image', 'video', 'document')).map((types) => types.toSorted()),
      tags: fc
        .uniqueArray(
          fc
            .string({ minLength: 1, maxLength: 20 })
            .map((text) => text.trim())
            .filter(Boolean),
        )
        .map((tags) => tags.toSorted()),
      date: fc.constantFrom('', '2024', '2024-05', '2024-05-17', '2024-05-01..2024-05-17'),
      collection: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: null }),
      status: fc.uniqueArray(fc.constantFrom('ready', 'failed')).map((statuses) => statuses.toSorted()),
      sort: fc.constantFrom('', '-date', 'label', '-size'),
      trash: fc.boolean(),
    })
    fc.assert(
      fc.property(query, (value) => {
        expect(parseGalleryQuery(formatGalleryQuery(value as never))).toEqual(value)
      }),
    )
  })

  test.each([
    ['?type=image,sculpture', { type: ['image'] }],
    ['?sort=colour', { sort: '' }],
    ['?date=yesterday', { date: '' }],
    ['?collection=-4', { collection: null }],
    ['?status=ready,,gone', { status: ['ready'] }],
    ['?tag=a&tag=a&tag=%20b', { tags: ['a', 'b'] }],
  ])('%s leaves out what nobody understands', (search, expected) => {
    expect(parseGalleryQuery(search)).toEqual({ ...emptyQuery, ...expected })
  })

  test('each gallery has one address', () => {
    expect(galleryHref(emptyQuery)).toBe('/dam/gallery')
    expect(galleryHref({ ...emptyQuery, collection: 7, q: 'cat' })).toBe('/collections/7?q=cat')
    expect(galleryHref({ ...emptyQuery, trash: true })).toBe('/dam/trash')
    expect(assetHref(5, { ...emptyQuery, collection: 7 })).toBe('/dam/assets/5?collection=7')
    expect(formatGalleryQuery({ ...emptyQuery, type: ['video', 'image'] })).toBe(
      formatGalleryQuery({ ...emptyQuery, type: ['image', 'video'] }),
    )
  })

  test('a tag with a comma goes the way that can carry it', () => {
    expect(needsSearch({ ...emptyQuery, tags: ['red, blue'] })).toBe(true)
    expect(needsSearch({ ...emptyQuery, tags: ['red'] })).toBe(false)
    expect(firstPageUrl({ ...emptyQuery, q: 'cat' })).toBeNull()
  })

  test('the first request can be made before the application is there', () => {
    expect(firstPageUrl(emptyQuery)).toBe('/api/v4/dam/assets/?ordering=-date_added&limit=60&cursor=')
  })

  test('the trash is ordered by the server unless a person says otherwise', () => {
    expect(toListQuery({ ...emptyQuery, trash: true })).toEqual({})
    expect(toListQuery({ ...emptyQuery, trash: true, sort: 'label' })).toEqual({ ordering: 'label' })
  })
})

describe('dates', () => {
  test.each([
    ['2024', { from: '2024-01-01', to: '2024-12-31' }],
    ['2024-02', { from: '2024-02-01', to: '2024-02-29' }],
    ['2023-02', { from: '2023-02-01', to: '2023-02-28' }],
    ['2024-05-17', { from: '2024-05-17', to: '2024-05-17' }],
    ['2024-06-01..2024-05-01', { from: '2024-05-01', to: '2024-06-01' }],
    ['', null],
  ])('%s is %o', (date, range) => {
    expect(dateRange(date)).toEqual(range)
  })

  test('filters carry days, both included', () => {
    expect(toFilters({ ...emptyQuery, date: '2024-05' })).toEqual({
      date_range: { from: '2024-05-01', to: '2024-05-31' },
    })
  })
})
