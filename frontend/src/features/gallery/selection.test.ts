import { describe, expect, test } from 'vitest'
import { extendTo, isSelected, moveRangeEnd, nothing, selectedCount, selectOnly, toggle, without } from './selection.ts'

const loaded = [10, 20, 30, 40, 50, 60]
const ids = (selection: ReturnType<typeof toggle>): number[] =>
  selection.kind === 'ids' ? [...selection.ids].toSorted((a, b) => a - b) : []

describe('selecting', () => {
  test('a second click takes back the first', () => {
    expect(ids(toggle(toggle(nothing, 20, loaded), 20, loaded))).toEqual([])
  })

  test('shift selects from the last clicked to here, in either direction', () => {
    expect(ids(extendTo(selectOnly(20), 50, loaded))).toEqual([20, 30, 40, 50])
    expect(ids(extendTo(selectOnly(50), 20, loaded))).toEqual([20, 30, 40, 50])
  })

  test('a range adds to what is selected already', () => {
    expect(ids(extendTo(toggle(selectOnly(10), 40, loaded), 60, loaded))).toEqual([10, 40, 50, 60])
  })

  test('shift without an anchor selects one', () => {
    expect(ids(extendTo(nothing, 30, loaded))).toEqual([30])
  })

  test('walking back with shift and arrows deselects what is left behind', () => {
    const there = moveRangeEnd(moveRangeEnd(selectOnly(20), 20, 30, loaded), 30, 40, loaded)
    expect(ids(there)).toEqual([20, 30, 40])
    expect(ids(moveRangeEnd(there, 40, 30, loaded))).toEqual([20, 30])
  })

  test('everything that matches counts what is not loaded too', () => {
    expect(selectedCount({ kind: 'all' }, 100_000)).toBe(100_000)
    expect(isSelected({ kind: 'all' }, 777)).toBe(true)
  })

  test('taking one out of everything leaves the loaded ones', () => {
    expect(ids(toggle({ kind: 'all' }, 30, loaded))).toEqual([10, 20, 40, 50, 60])
  })

  test('what is deleted leaves the selection, and nothing changes when nothing of it is', () => {
    const selection = extendTo(selectOnly(10), 30, loaded)
    expect(ids(without(selection, new Set([20])))).toEqual([10, 30])
    expect(without(selection, new Set([60]))).toBe(selection)
  })
})
