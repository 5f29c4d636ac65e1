import { judged, type TuningLine, unknownLine } from './tuning-line.ts'
import type { CdnComparison } from '../diagnosis/cdn/compare-cdn.ts'
import type { BuiltPages } from './read-built-pages.ts'
import type { RenditionFigures } from './read-renditions.ts'

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1_000)} kB`

/** Gzipped scripts the browser needs before the first page works, and lazy loading, from what was built. */
export function judgeBundle(built: BuiltPages | string, budgetKilobytes: number): TuningLine[] {
  const [size, lazy] = [
    { area: 'frontend', name: 'Bundle size', bound: `<= ${budgetKilobytes} kB gzipped before the first page works` },
    { area: 'frontend', name: 'Lazy loading', bound: 'at least half of the scripts load when they are needed' },
  ] as const
  if (typeof built === 'string') return [unknownLine(size, built), unknownLine(lazy, built)]
  const later = built.allBytes === 0 ? 0 : 1 - built.firstBytes / built.allBytes
  const biggest = built.files.toSorted((a, b) => b.gzipBytes - a.gzipBytes)[0]
  return [
    judged({
      ...size,
      isOk: built.firstBytes <= budgetKilobytes * 1_000,
      figure: `${kilobytes(built.firstBytes)} in ${built.firstFiles} files`,
      advice: `Look at ${biggest?.name} (${kilobytes(biggest?.gzipBytes ?? 0)}): what is in it that the first page does not need?`,
    }),
    judged({
      ...lazy,
      isOk: later >= 0.5,
      figure: `${Math.round(later * 100)} % of ${kilobytes(built.allBytes)} load later, in ${built.files.length - built.firstFiles} parts`,
      advice: 'Import pages and dialogs with import() where they are opened.',
    }),
  ]
}

/** Formats and sizes of renditions, and pictures that have none, so that the original is served for them. */
export function judgeImages(found: RenditionFigures | string): TuningLine[] {
  const [format, size, missing] = [
    { area: 'frontend', name: 'Image format', bound: '>= 95 % of renditions are WebP or AVIF' },
    { area: 'frontend', name: 'Image size', bound: 'the smallest preset <= 40 kB on average' },
    { area: 'frontend', name: 'Images without a rendition', bound: '<= 1 % of the assets whose preview is done' },
  ] as const
  if (typeof found === 'string') return [format, size, missing].map((line) => unknownLine(line, found))
  const all = found.presets.reduce((sum, { count }) => sum + count, 0)
  if (all === 0) return [format, size, missing].map((line) => unknownLine(line, 'there are no renditions yet'))
  const modern = found.presets
    .filter(({ mimeType }) => /webp|avif/.test(mimeType))
    .reduce((sum, { count }) => sum + count, 0)
  const smallest = found.presets.toSorted((a, b) => a.width - b.width)[0]
  const share = found.ready === 0 ? 0 : found.readyWithout / found.ready
  return [
    judged({
      ...format,
      isOk: modern >= all * 0.95,
      figure: `${Math.round((modern / all) * 100)} % of ${all}`,
      advice: 'Make the old ones again: ./dam fsck lists what is not current.',
    }),
    judged({
      ...size,
      isOk: (smallest?.meanBytes ?? 0) <= 40_000,
      figure: `${smallest?.preset}: ${kilobytes(smallest?.meanBytes ?? 0)} on average, ${smallest?.count} files`,
      advice: 'Lower the quality of that preset, or its box.',
    }),
    judged({
      ...missing,
      isOk: share <= 0.01,
      figure: `${found.readyWithout} of ${found.ready}`,
      advice: 'The original is served where a rendition should be: ./dam logs --errors, then make them again.',
    }),
  ]
}

export function judgeCdn(found: CdnComparison | string): TuningLine {
  const line = {
    area: 'frontend',
    name: 'CDN hit rate',
    bound: 'hashed files come from the edge: an age, or a hit',
  } as const
  if (typeof found === 'string') return unknownLine(line, found)
  const files = found.compared.filter(({ path }) => path.startsWith('/assets/'))
  if (files.length === 0) return unknownLine(line, 'the page names no hashed files')
  const hits = files.filter(({ edge }) => (edge.ageSeconds ?? 0) > 0).length
  return judged({
    ...line,
    isOk: hits === files.length,
    figure: `${hits} of ${files.length} files were kept at the edge`,
    advice: 'Compare the headers: ./dam cdn check; the CDN must keep what is immutable.',
  })
}
