import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { actualScale, contain, fitted, fittedSize, largestScale, zoomAt } from './zoom.ts'

const picture = { width: 4000, height: 3000 }
const stage = { width: 1000, height: 800 }

describe('zooming', () => {
  test('a picture is shown whole, a small one in its own size', () => {
    expect(fittedSize(picture, stage)).toEqual({ width: 1000, height: 750 })
    expect(fittedSize({ width: 80, height: 40 }, stage)).toEqual({ width: 80, height: 40 })
  })

  test('actual size is one pixel for one', () => {
    expect(actualScale(picture, stage, 1)).toBe(4)
    expect(actualScale(picture, stage, 2)).toBe(2)
  })

  test('what is under the pointer stays there', () => {
    const point = { x: 120, y: -80 }
    const view = zoomAt(fitted, 3, point, picture, stage, 1)
    expect([(point.x - view.x) / view.scale, (point.y - view.y) / view.scale]).toEqual(
      [point.x, point.y].map((value) => expect.closeTo(value, 5)),
    )
  })

  test('no way of zooming and dragging loses the picture', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.integer({ min: -5000, max: 5000 }),
        fc.integer({ min: -5000, max: 5000 }),
        (scale, x, y) => {
          const view = contain(zoomAt({ scale: 2, x, y }, scale, { x: 0, y: 0 }, picture, stage, 1), picture, stage)
          expect(view.scale).toBeGreaterThanOrEqual(1)
          expect(view.scale).toBeLessThanOrEqual(largestScale(picture, stage, 1))
          expect(Math.abs(view.x)).toBeLessThanOrEqual(Math.max(0, (1000 * view.scale - stage.width) / 2) + 0.001)
        },
      ),
    )
  })
})
