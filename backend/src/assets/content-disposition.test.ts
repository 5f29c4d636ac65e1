import { ServerResponse, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentDisposition } from './content-disposition.ts'

/** Reads the name back as RFC 6266 tells browsers to. */
function nameIn(header: string): string {
  const extended = /; filename\*=UTF-8''([^;]*)$/.exec(header)?.[1]
  if (extended !== undefined) return decodeURIComponent(extended)
  return /; filename="([^"]*)"$/.exec(header)?.[1] ?? ''
}

test('plain names need no encoding', () => {
  expect(contentDisposition('attachment', 'IMG 0001.JPG')).toBe('attachment; filename="IMG 0001.JPG"')
})

test('other names come with an ASCII approximation', () => {
  expect(contentDisposition('inline', 'Zoë "x" 日本.jpg')).toBe(
    `inline; filename="Zoe _x_ __.jpg"; filename*=UTF-8''Zo%C3%AB%20%22x%22%20%E6%97%A5%E6%9C%AC.jpg`,
  )
})

test('every name comes back as it was, and none can add a header', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
      const header = contentDisposition('attachment', name)
      expect(header).toMatch(/^attachment; [\x20-\x7e]+$/)
      expect(nameIn(header)).toBe(name.toWellFormed())
      const response = new ServerResponse(new IncomingMessage(new Socket()))
      response.setHeader('content-disposition', header)
    }),
    { numRuns: 300 },
  )
})
