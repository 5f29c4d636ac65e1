import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  cardAspect,
  justify,
  neighbourInRow,
  rowOf,
  rowsBetween,
  type PictureRow,
  type Row,
} from './justified-layout.ts'

const options = { width: 1000, targetHeight: 200, gap: 4, headingHeight: 40 }
const pictures = (rows: readonly Row[]): PictureRow[] => rows.filter((row) => row.kind === 'pictures')
const aspects = fc.array(fc.double({ min: 0.5, max: 3.2, noNaN: true }), { maxLength: 300 })

describe('the justified layout', () => {
  test('every row but the last of a section fills the width exactly', () => {
    fc.assert(
      fc.property(aspects, fc.integer({ min: 280, max: 2400 }), (shapes, width) => {
        const rows = pictures(justify(shapes, { ...options, width }).rows)
        for (const row of rows.slice(0, -1))
          expect(
            row.widths.reduce((sum, cardWidth) => sum + cardWidth, 0) + options.gap * (row.widths.length - 1),
          ).toBe(width)
        for (const row of rows) for (const cardWidth of row.widths) expect(cardWidth).toBeLessThanOrEqual(width)
      }),
    )
  })

  test('every asset is in exactly one row, in order, and rows do not overlap', () => {
    fc.assert(
      fc.property(aspects, (shapes) => {
        const { rows, height } = justify(shapes, options)
        let next = 0
        let bottom = 0
        for (const row of pictures(rows)) {
          expect(row.start).toBe(next)
          expect(row.widths).toHaveLength(row.end - row.start)
          expect(row.top).toBeGreaterThanOrEqual(bottom)
          next = row.end
          bottom = row.top + row.height
        }
        expect(next).toBe(shapes.length)
        expect(Math.max(0, height)).toBe(bottom)
      }),
    )
  })

  test('assets that come later leave rows that are already full where they are', () => {
    fc.assert(
      fc.property(aspects, aspects, (before, after) => {
        const short = pictures(justify(before, options).rows).slice(0, -2)
        const long = pictures(justify([...before, ...after], options).rows)
        expect(long.slice(0, short.length)).toEqual(short)
      }),
    )
  })

  test('a lone picture at the end is not blown up', () => {
    const [row] = pictures(justify([1.5], options).rows)
    expect(row).toMatchObject({ height: 200, widths: [300] })
  })

  test('a heading begins a new row and counts its assets', () => {
    const { rows } = justify(
      [1.5, 1.5, 1.5, 1.5],
      options,
      new Map([
        [0, 'May'],
        [3, 'April'],
      ]),
    )
    expect(rows.map((row) => (row.kind === 'heading' ? `${row.label} ${row.count}` : row.end - row.start))).toEqual([
      'May 3',
      3,
      'April 1',
      1,
    ])
  })

  test('shapes nobody knows are 4:3, panoramas and scrolls are cut', () => {
    expect(cardAspect(null, null)).toBeCloseTo(4 / 3)
    expect(cardAspect(10_000, 100)).toBe(3.2)
    expect(cardAspect(100, 10_000)).toBe(0.5)
  })
})

describe('finding rows', () => {
  const { rows } = justify(
    Array.from({ length: 5000 }, (_, index) => 0.6 + ((index * 7) % 20) / 10),
    options,
  )

  test('the window holds exactly the rows that can be seen', () => {
    const { first, end } = rowsBetween(rows, 10_000, 11_000)
    for (const [index, row] of rows.entries())
      expect(index >= first && index < end).toBe(row.top + row.height >= 10_000 && row.top <= 11_000)
  })

  test('an asset is found in its row', () => {
    for (const row of pictures(rows)) expect(rows[rowOf(rows, row.end - 1)]).toBe(row)
  })

  test('up undoes down where widths agree, and edges end the way', () => {
    const even = justify(
      Array.from({ length: 20 }, () => 1.25),
      { ...options, width: 1016 },
    ).rows
    const down = neighbourInRow(even, 1, 1, options.gap)!
    expect(down).toBeGreaterThan(1)
    expect(neighbourInRow(even, down, -1, options.gap)).toBe(1)
    expect(neighbourInRow(even, 1, -1, options.gap)).toBeNull()
    expect(neighbourInRow(even, 19, 1, options.gap)).toBeNull()
  })
})
