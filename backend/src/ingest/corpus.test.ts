import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { corpusFolder } from '../testing/config.ts'
import { testConverter, type TestConverter } from '../testing/converter.ts'
import { summarise } from './corpus-disagreements.ts'
import { openCorpus, readCorpusFile, type CorpusResult } from './read-corpus.ts'

const files = await openCorpus(corpusFolder)
if (!files) console.log(`No corpus at ${corpusFolder} (DAM_CORPUS): the tests with generated files stand alone.`)

describe.skipIf(!files)('the corpus', () => {
  let converter: TestConverter
  let results: CorpusResult[] = []
  beforeAll(async () => {
    converter = await testConverter({ blobsFolder: corpusFolder })
    const waiting = [...(files ?? [])].entries()
    const work = async (): Promise<void> => {
      for (const [index, [path, expected]] of waiting) {
        results.push(
          await readCorpusFile({
            folder: corpusFolder,
            path,
            expected,
            converter: converter.pool,
            outputFolder: join(converter.scratch, String(index)),
          }),
        )
      }
    }
    await Promise.all([work(), work()])
  }, 600_000)
  afterAll(() => converter[Symbol.asyncDispose]())

  test('DAM reads what the reference tools read, and every difference is explained', () => {
    const { table, unexplained } = summarise(results)
    console.log(table)
    expect(unexplained).toEqual([])
  })

  test('every file ends with a preview or with a reason that says what to do', () => {
    expect(results).toHaveLength(files?.size ?? 0)
    for (const { path, rendered, error } of results) {
      if (rendered)
        expect(
          rendered.renditions.map(({ preset }) => preset),
          path,
        ).toEqual(['preview', 'thumbnail'])
      else expect(error?.message, path).toMatch(/^[A-Z].{20,}[.)]$/s)
    }
  })

  test('empty files are refused, bombs are refused before they are unpacked, and the converters still work', async () => {
    const ends = new Map(results.map((result) => [result.path, result.error?.code]))
    for (const [path, expected] of files ?? [])
      if (expected.expect === 'reject-empty') expect(ends.get(path), path).toBe('empty-file')
    expect(ends.get('hostile/bombs/pixel-flood-64250x64250.jpg')).toBe('too-many-pixels')
    expect(ends.get('hostile/bombs/png-bomb-30000x30000-1bit.png')).toBe('too-many-pixels')
    expect(ends.get('hostile/svg/useDosTest.svg')).toBe('too-complex')
    const good = 'jpeg/orientation/Landscape_6.jpg'
    const again = await readCorpusFile({
      folder: corpusFolder,
      path: good,
      expected: files?.get(good) ?? { bytes: 0, mime_best: null },
      converter: converter.pool,
      outputFolder: join(converter.scratch, 'again'),
    })
    expect(again.rendered?.measures).toEqual({ width: 1800, height: 1200 })
  })

  test('no rendition carries metadata of its original: no place, no names, no thumbnails', async () => {
    const exiftool = createRequire(import.meta.url)
      .resolve('exiftool-vendored.pl')
      .replace(/index\.js$/, 'bin/exiftool')
    const { stdout } = await promisify(execFile)(
      'perl',
      [exiftool, '-r', '-json', '-G0', '-all', '-ext', 'jpg', '-ext', 'webp', converter.scratch],
      { maxBuffer: 256 * 1024 * 1024 },
    )
    const renditions = JSON.parse(stdout) as Record<string, unknown>[]
    expect(renditions.length).toBeGreaterThan(500)
    const groups = new Set(renditions.flatMap((tags) => Object.keys(tags).map((name) => name.split(':')[0])))
    const harmless = ['Composite', 'ExifTool', 'File', 'JFIF', 'RIFF', 'SourceFile']
    expect([...groups].filter((group) => !harmless.includes(group ?? ''))).toEqual([])
  })
})
