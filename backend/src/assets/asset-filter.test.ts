import { expect, test } from 'vitest'
import { filterOfBody, filterOfQuery } from './asset-filter.ts'

test.each([
  ['2024', { dateFrom: '2024-01-01', dateBefore: '2025-01-01' }],
  ['2024-05', { dateFrom: '2024-05-01', dateBefore: '2024-06-01' }],
  ['2024-12', { dateFrom: '2024-12-01', dateBefore: '2025-01-01' }],
  ['2024-02-29', { dateFrom: '2024-02-29', dateBefore: '2024-03-01' }],
  ['2024-05-01..2024-05-17', { dateFrom: '2024-05-01', dateBefore: '2024-05-18' }],
  ['2023..2024-02', { dateFrom: '2023-01-01', dateBefore: '2024-03-01' }],
  ['2024..', { dateFrom: '2024-01-01' }],
  ['..1999', { dateBefore: '2000-01-01' }],
  ['0001', { dateFrom: '0001-01-01', dateBefore: '0002-01-01' }],
  ['', {}],
])('the date %j means %j', (date, filter) => {
  expect(filterOfQuery({ date })).toEqual(filter)
})

test.each([
  '2023-02-29',
  '2024-00',
  '24',
  '2024-5',
  '0000',
  '9999',
  '..',
  '2024..2023',
  '2024/05',
  '2024-05-01T00:00',
  '-2024',
  '2024-05-17..x',
])('the date %j is refused', (date) => {
  expect(() => filterOfQuery({ date })).toThrow(expect.objectContaining({ code: 'invalid-filter' }))
})

test('lists are separated by commas; a backslash keeps a comma inside a value', () => {
  expect(filterOfQuery({ tags: 'sea, beach,Paris\\, France,,', type: 'image,video' })).toEqual({
    tags: ['sea', 'beach', 'Paris, France'],
    types: ['image', 'video'],
  })
})

test('empty values are no filter', () => {
  expect(filterOfQuery({ q: '  ', type: '', tags: ',', date: '', checksum: '' })).toEqual({})
  expect(filterOfBody({ type: [], tags: [] }, '')).toEqual({})
})

test('the query string and JSON mean the same filter', () => {
  const query = filterOfQuery({
    q: 'cat',
    type: 'image',
    tags: 'sea',
    date: '2024-05-01..2024-05-17',
    size_min: 5,
    collection: 3,
    status: 'ready',
    owner: 2,
  })
  const body = filterOfBody(
    {
      type: ['image'],
      tags: ['sea'],
      date_range: { from: '2024-05-01', to: '2024-05-17' },
      size: { min: 5 },
      collection: 3,
      status: ['ready'],
      owner: 2,
    },
    'cat',
  )
  expect(query).toEqual(body)
})
