import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanFilename, foldersOf } from './file-name.ts'

test.each([
  ['photo.jpg', 'photo.jpg'],
  [' leading and trailing space .jpg ', ' leading and trailing space .jpg '],
  ['Zoe\u0308 A\u030angstro\u0308m.jpg', 'Zo\u00eb \u00c5ngstr\u00f6m.jpg'],
  ['invoice\u202egpj.exe.jpg', 'invoicegpj.exe.jpg'],
  ['two\nlines\r\n.jpg', 'twolines.jpg'],
  ['nul\0byte.jpg', 'nulbyte.jpg'],
  ['../../etc/passwd', 'passwd'],
  ['/absolute/path.txt', 'path.txt'],
  ['back\\slash ..\\..\\windows.png', 'back\\slash ..\\..\\windows.png'],
  ['family 👩\u200d👩\u200d👧\u200d👦.jpg', 'family 👩\u200d👩\u200d👧\u200d👦.jpg'],
  ['', 'unnamed'],
  ['   ', 'unnamed'],
  ['\u202e', 'unnamed'],
  ['.', 'unnamed'],
  ['..', 'unnamed'],
  ['folder/', 'unnamed'],
  ['lone \ud800 surrogate.png', 'lone \ufffd surrogate.png'],
])('the name %j is kept as %j', (given, kept) => {
  expect(cleanFilename(given)).toBe(kept)
})

test('a long name is cut between characters and keeps its extension', () => {
  const cut = cleanFilename(`${'写真'.repeat(100)}.jpeg`)
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(255)
  expect(cut).toMatch(/^(写真)+写?\.jpeg$/)
})

test('folders come from the path without the file, cleaned part by part', () => {
  expect(foldersOf('corpus/names/a.jpg', 'a.jpg')).toEqual(['corpus', 'names'])
  expect(foldersOf('/../../etc/./cron.d//a.jpg', 'a.jpg')).toEqual(['etc', 'cron.d'])
  expect(foldersOf('a.jpg', 'a.jpg')).toEqual([])
  expect(foldersOf('', 'a.jpg')).toEqual([])
  expect(foldersOf('holiday/2024', 'a.jpg')).toEqual(['holiday', '2024'])
  expect(foldersOf(`${'deep/'.repeat(500)}a.jpg`, 'a.jpg')).toHaveLength(30)
})

test('whatever a name holds, what is kept is short, safe text that cleaning leaves alone', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const name = cleanFilename(text)
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
      expect(name).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069/]/u)
      expect(name.isWellFormed()).toBe(true)
      expect(name.trim()).not.toBe('')
      expect(cleanFilename(name)).toBe(name)
      for (const folder of foldersOf(text, name)) expect(['', '.', '..']).not.toContain(folder)
    }),
    { numRuns: 300 },
  )
})
