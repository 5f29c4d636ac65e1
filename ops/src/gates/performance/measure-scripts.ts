import { gzipSync } from 'node:zlib'
import type { Figure } from './budgets.ts'

/** What the browser must load before the page works: the scripts that the built index.html names, gzipped. */
export function measureScripts(files: ReadonlyMap<string, Uint8Array>): Figure[] {
  const page = files.get('frontend/dist/index.html')
  if (!page) throw new Error('The artifact has no frontend/dist/index.html.')
  const names = [...new TextDecoder().decode(page).matchAll(/(?:src|href)="\/?([^"]+\.js)"/g)].map(
    (found) => found[1] ?? '',
  )
  const unique = [...new Set(names)]
  const bytes = unique.reduce((sum, name) => {
    const content = files.get(`frontend/dist/${name}`)
    if (!content) throw new Error(`index.html names ${name}, which the artifact does not have.`)
    return sum + gzipSync(content, { level: 9 }).length
  }, 0)
  return [
    {
      figure: 'JavaScript of the first page, gzipped',
      value: bytes / 1_000,
      unit: 'kB',
      n: unique.length,
      from: 'artifact',
    },
  ]
}
