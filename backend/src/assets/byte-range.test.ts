import { expect, test } from 'vitest'
import { allowsRange, matchesTag, parseRange } from './byte-range.ts'

test.each([
  [undefined, 'whole'],
  ['bytes=0-0', { first: 0, last: 0 }],
  ['bytes=0-', { first: 0, last: 99 }],
  ['bytes=10-19', { first: 10, last: 19 }],
  ['bytes=90-500', { first: 90, last: 99 }],
  ['bytes=-10', { first: 90, last: 99 }],
  ['bytes=-500', { first: 0, last: 99 }],
  ['bytes=99-', { first: 99, last: 99 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-4', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=0-1,5-6', 'whole'],
  ['lines=0-1', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=99999999999999999999-', 'whole'],
])('Range %s of 100 bytes is %o', (header, expected) => {
  expect(parseRange(header, 100)).toEqual(expected)
})

test('a tag matches in a list, weak or not', () => {
  expect(matchesTag('"a", W/"b"', '"b"')).toBe(true)
  expect(matchesTag('*', '"b"')).toBe(true)
  expect(matchesTag('"c"', '"b"')).toBe(false)
  expect(matchesTag(undefined, '"b"')).toBe(false)
})

test('If-Range lets only the same strong tag through', () => {
  expect(allowsRange('"a"', '"a"')).toBe(true)
  expect(allowsRange('W/"a"', '"a"')).toBe(false)
  expect(allowsRange('Tue, 24 Nov 2026 12:00:00 GMT', '"a"')).toBe(false)
})
