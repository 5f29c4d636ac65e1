import type { AssetSummary } from '@dam/contract/types'
import { describe, expect, test } from 'vitest'
import {
  flattenPages,
  mergeFirstPage,
  overlaps,
  patchPages,
  removeFromPages,
  type AssetPage,
  type AssetPages,
} from './asset-lists.ts'

const asset = (id: number, label = `asset ${id}`): AssetSummary => ({ id, label }) as AssetSummary
const page = (ids: number[], next: string | null = null, count = 100): AssetPage => ({
  count,
  next,
  previous: null,
  results: ids.map((id) => asset(id)),
})
const pages = (...lists: number[][]): AssetPages => ({
  pages: lists.map((ids) => page(ids, 'more')),
  pageParams: lists.map((_, index) => (index === 0 ? '' : String(index))),
})
const ids = (data: AssetPages): number[] => flattenPages(data).map((one) => one.id)

describe('a loaded gallery', () => {
  test('a changed asset is replaced in place; other pages stay the same object', () => {
    const before = pages([9, 8], [7, 6])
    const after = patchPages(before, new Map([[7, asset(7, 'new')]]))
    expect(ids(after)).toEqual([9, 8, 7, 6])
    expect(after.pages[1]!.results[0]!.label).toBe('new')
    expect(after.pages[0]).toBe(before.pages[0])
    expect(patchPages(before, new Map([[1, asset(1)]]))).toBe(before)
  })

  test('removed assets lower the count by as many as were listed', () => {
    const after = removeFromPages(pages([9, 8], [7, 6]), new Set([8, 7, 1234]))
    expect(ids(after)).toEqual([9, 6])
    expect(after.pages.map((one) => one.count)).toEqual([98, 98])
  })

  test('new assets go to the top and nothing is listed twice', () => {
    const after = mergeFirstPage(pages([9, 8], [7, 6]), page([11, 10, 9, 8], 'more', 102))
    expect(ids(after)).toEqual([11, 10, 9, 8, 7, 6])
    expect(after.pages[0]!.count).toBe(102)
  })

  test('a fresh page that does not reach the loaded ones would leave a hole', () => {
    expect(overlaps(pages([5, 4]), page([9, 8], 'more'))).toBe(false)
    expect(overlaps(pages([5, 4]), page([6, 5], 'more'))).toBe(true)
    expect(overlaps(pages([5, 4]), page([9, 8], null))).toBe(true)
  })

  test('an asset that slid onto the next page is shown once', () => {
    expect(ids(pages([9, 8], [8, 7]))).toEqual([9, 8, 7])
  })
})
