import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'

export type BuiltPages = {
  /** Scripts that index.html names. */
  firstBytes: number
  firstFiles: number
  allBytes: number
  files: { name: string; gzipBytes: number }[]
}

/** Gzipped sizes of the scripts in a built frontend. Throws when it is not built. */
export function readBuiltPages(dist: string): BuiltPages {
  const page = readFileSync(path.join(dist, 'index.html'), 'utf8')
  const first = new Set([...page.matchAll(/(?:src|href)="\/?assets\/([^"]+\.js)"/g)].map(([, name]) => name ?? ''))
  const files = readdirSync(path.join(dist, 'assets'))
    .filter((name) => name.endsWith('.js'))
    .map((name) => ({ name, gzipBytes: gzipSync(readFileSync(path.join(dist, 'assets', name)), { level: 9 }).length }))
  const sum = (some: typeof files): number => some.reduce((all, { gzipBytes }) => all + gzipBytes, 0)
  return {
    firstBytes: sum(files.filter(({ name }) => first.has(name))),
    firstFiles: first.size,
    allBytes: sum(files),
    files,
  }
}
