import { expect, test } from 'vitest'
import { toneMap } from './high-dynamic-range.ts'

const shown = (value: number, transfer: 'pq' | 'hlg', primaries: 'bt2020' | 'bt709' = 'bt709'): number[] => {
  const code = Math.round(value * 65_535)
  return [...toneMap(Uint16Array.of(code, code, code), 3, { transfer, primaries })]
}

test('grey stays grey, black stays black, and nothing bright is cut off before the brightest', () => {
  for (const transfer of ['pq', 'hlg'] as const) {
    const steps = Array.from({ length: 51 }, (_, n) => shown(n / 50, transfer, 'bt2020'))
    for (const [r, g, b] of steps)
      expect(Math.max(r ?? 0, g ?? 0, b ?? 0) - Math.min(r ?? 0, g ?? 0, b ?? 0)).toBeLessThanOrEqual(1)
    const greys = steps.map(([r]) => r ?? 0)
    expect(greys).toEqual(greys.toSorted((a, b) => a - b))
    expect([greys[0], greys.at(-1)]).toEqual([0, 255])
  }
})

test('light of half paper white is where sRGB puts it', () => {
  // PQ 0.5077 is 101.5 nits, half of 203; sRGB writes half of white as 188.
  expect(shown(0.5077, 'pq')[0]).toBeGreaterThanOrEqual(186)
  expect(shown(0.5077, 'pq')[0]).toBeLessThanOrEqual(190)
})

test('alpha is only shortened', () => {
  expect([...toneMap(Uint16Array.of(0, 0, 0, 0x8000), 4, { transfer: 'pq', primaries: 'p3' })]).toEqual([0, 0, 0, 128])
})
