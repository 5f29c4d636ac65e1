import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { EngineFile } from './engine-facts.ts'

/**
 * What in `folder` is not as it would be made now, as lines of a diff; none when nothing is behind. A policy that changes nothing else in a
 * file does not make it behind.
 */
export function compareFiles(folder: string, files: readonly EngineFile[]): string[] {
  return files.flatMap((file) => {
    const name = path.join(folder, file.path)
    let found: string
    try {
      found = readFileSync(name, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [`${name}: is missing`]
      throw error
    }
    const isExecutable = (statSync(name).mode & 0o100) !== 0
    const mode =
      isExecutable === (file.isExecutable ?? false) ? [] : [`${name}: must ${isExecutable ? 'not ' : ''}be executable`]
    return withoutHash(found) === withoutHash(file.text)
      ? mode
      : [name, ...changedLines(found.split('\n'), file.text.split('\n')), ...mode]
  })
}

const withoutHash = (text: string): string => text.replace(/ from policy [0-9a-f]{16}\./, '')

/** Lines that went and came, by the longest common subsequence; the files are short. */
function changedLines(before: readonly string[], after: readonly string[]): string[] {
  const width = after.length + 1
  const lengths = new Uint16Array((before.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      lengths[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const changed: string[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i++
      j++
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1)))
      changed.push(`  - ${before[i++] ?? ''}`)
    else changed.push(`  + ${after[j++] ?? ''}`)
  }
  return changed
}
