import { expect, test } from 'vitest'
import { servedType } from './served-type.ts'

test('files that a page could run or apply never travel under their own type', () => {
  for (const type of [
    'text/javascript',
    'text/css',
    'text/html',
    'application/xml',
    'application/json',
    'application/x-made-up',
  ]) {
    expect(servedType(type), type).toEqual({ contentType: 'application/octet-stream', mayInline: false })
  }
})

test('pictures travel under their own type, and drawings that can hold script are only downloaded', () => {
  expect(servedType('image/jpeg')).toEqual({ contentType: 'image/jpeg', mayInline: true })
  expect(servedType('image/svg+xml')).toEqual({ contentType: 'image/svg+xml', mayInline: false })
  expect(servedType('text/plain')).toEqual({ contentType: 'text/plain; charset=utf-8', mayInline: true })
})
