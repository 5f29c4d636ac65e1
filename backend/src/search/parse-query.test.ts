import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseQuery } from './parse-query.ts'
import { fold, piecesOfName, wordsOf } from './words.ts'

const shown = (text: string): string =>
  parseQuery(text)
    .map(({ alternatives, negated }) => {
      const any = alternatives
        .map(
          ({ words, exact, prefix }) => `${exact ? '"' : ''}${words.join('+')}${exact ? '"' : ''}${prefix ? '*' : ''}`,
        )
        .join('|')
      return negated ? `-${any}` : any
    })
    .join(' ')

test.each([
  ['red car', 'red car*'],
  ['red car ', 'red car'],
  ['a', 'a'],
  ['"red car"', '"red+car"'],
  ['"red ca', '"red+ca"*'],
  ['beach -sunset', 'beach -sunset'],
  ['beach -"red sunset" ', 'beach -"red+sunset"'],
  ['cat OR dog', 'cat|dog*'],
  ['big cat | dog food ', 'big cat|dog food'],
  ['OR cat', 'cat*'],
  ['cat OR', 'cat'],
  ['кот ИЛИ пёс ', 'кот|пес'],
  ['IMG_0042', 'img+0042*'],
  ['sunset-beach.jpg ', 'sunset+beach+jpg'],
  ['«белый кот» ', '"белый+кот"'],
  ['- -- !!! "" & | ( ) :* \\', ''],
  ["O'Neil ", 'o+neil'],
])('%j is read as %s', (text, expected) => {
  expect(shown(text)).toBe(expected)
})

test('no text is too strange: each gives a bounded list of plain words', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 500 }), fc.string({ unit: 'grapheme', maxLength: 300 })),
      (text) => {
        const clauses = parseQuery(text)
        expect(clauses.flatMap(({ alternatives }) => alternatives).length).toBeLessThanOrEqual(32)
        for (const { alternatives } of clauses)
          for (const { words } of alternatives)
            for (const word of words) expect(word).toMatch(/^[\p{L}\p{N}\p{M}\ufffd]+$/u)
      },
    ),
    { numRuns: 500 },
  )
})

test('accents, case and compatibility forms do not matter; й and stems stay', () => {
  expect(fold('Ça ﬁt ÀÉ Ĳ Straße Ёлка Зелёный İstanbul Łódź ²')).toBe(
    'ca fit ae ij strasse елка зеленый istanbul lodz 2',
  )
  expect(wordsOf('cafe\u0301 CAFÉ café')).toEqual(['cafe', 'cafe', 'cafe'])
  expect(wordsOf('日本語 हिन्दी עִבְרִית')).toHaveLength(3)
})

test('a file name is found by its pieces', () => {
  expect(piecesOfName('sunsetBeachHDR.jpg')).toEqual(expect.arrayContaining(['sunset', 'beach', 'hdr']))
  expect(piecesOfName('DSC00042.NEF')).toEqual(expect.arrayContaining(['dsc', '00042', '42']))
  expect(piecesOfName('IMG_0042.jpg')).toEqual(['42', 'img0042'])
  expect(piecesOfName('')).toEqual([])
})
