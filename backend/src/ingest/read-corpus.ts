import { mkdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { compare, type Comparison, type Expected } from './corpus-comparison.ts'
import type { Converter, IngestError, RenderedPreviews } from './types.ts'

export type CorpusResult = {
  path: string
  mimeType?: string
  /** How it ended: an error of identification or of the preview, or the rendition. */
  error?: IngestError
  rendered?: RenderedPreviews
  comparisons: Comparison[]
  warnings: string[]
  elapsedMs: number
}

/** Files and expectations of a corpus folder, or undefined when there is none. */
export async function openCorpus(folder: string): Promise<Map<string, Expected> | undefined> {
  const listing = await readFile(join(folder, 'expected.json'), 'utf8').catch(() => undefined)
  if (listing === undefined) return undefined
  const { files } = JSON.parse(listing) as { files: Record<string, Expected> }
  return new Map(Object.entries(files))
}

/** Sends one file through all that ingest does outside the database. Renditions are left in `outputFolder`. */
export async function readCorpusFile(input: {
  folder: string
  path: string
  expected: Expected
  converter: Converter
  outputFolder: string
}): Promise<CorpusResult> {
  const { converter, expected, outputFolder } = input
  const startedAt = performance.now()
  const path = join(input.folder, input.path)
  const result: CorpusResult = { path: input.path, comparisons: [], warnings: [], elapsedMs: 0 }
  const done = (): CorpusResult => ({ ...result, elapsedMs: Math.round(performance.now() - startedAt) })
  await stat(path)
  await rm(outputFolder, { recursive: true, force: true })
  await mkdir(outputFolder, { recursive: true })
  const identity = await converter.identify({ path, filename: basename(path) })
  if (!identity.ok) {
    result.error = identity.error
    return done()
  }
  const metadata = await converter.readMetadata({ path, identified: identity.value })
  const identified = (metadata.ok && metadata.value.refined) || identity.value
  const measures = metadata.ok ? metadata.value.measures : {}
  result.mimeType = identified.mimeType
  if (metadata.ok) result.warnings = metadata.value.warnings
  const rendered = await converter.render({ path, identified, measures, raw: {}, outputFolder })
  if (rendered.ok) result.rendered = rendered.value
  else result.error = rendered.error
  result.comparisons = compare(expected, {
    identified,
    metadata: metadata.ok ? metadata.value : { fields: {} },
    measures: { ...measures, ...(rendered.ok ? rendered.value.measures : {}) },
  })
  return done()
}
