import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const read = (locale: string): Map<string, string> =>
  new Map([...readFileSync(new URL(`${locale}.po`, import.meta.url), 'utf8').matchAll(/^msgid "(.+)"\nmsgstr "(.*)"$/gm)].map((match) => [match[1]!, match[2]!]))
const placeholders = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)[,}]/g)].map((match) => match[1]!))].toSorted()

describe('the Russian of the product', () => {
  const russian = read('ru')

  test('says everything the English says', () => {
    expect([...russian].filter(([, text]) => text === '').map(([id]) => id)).toEqual([])
    expect(russian.size).toBe(read('en').size)
    expect(russian.size).toBeGreaterThan(300)
  })

  test('keeps every placeholder', () => {
    expect([...russian].filter(([id, text]) => placeholders(id).some((name) => !text.includes(`{${name}`))).map(([id]) => id)).toEqual([])
  })

  test('has the four plural forms', () => {
    expect([...russian].filter(([id, text]) => /\{\w+, plural,/.test(id) && !(/ one \{/.test(text) && / few \{/.test(text) && / many \{/.test(text) && / other \{/.test(text))).map(([id]) => id)).toEqual([])
  })
})
