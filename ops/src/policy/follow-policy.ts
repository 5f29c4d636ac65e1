import { statSync } from 'node:fs'
import { type ReadPolicy, readPolicy, shippedPolicyFile } from './read-policy.ts'

const lookEveryMs = 2_000

/**
 * The policy in force. The file is read again when it changed; one that cannot be used is reported once and the last good one stays in
 * force. Throws PolicyError when the first read fails.
 */
export function followPolicy(options: {
  file?: string
  onChange: (read: ReadPolicy) => void
  onMistake: (error: Error) => void
}): () => ReadPolicy {
  const file = options.file ?? shippedPolicyFile
  let current = readPolicy(file)
  let stamp = stampOf(file)
  let lookedAt = performance.now()
  return () => {
    if (performance.now() - lookedAt < lookEveryMs) return current
    lookedAt = performance.now()
    const now = stampOf(file)
    if (now === stamp) return current
    stamp = now
    try {
      const next = readPolicy(file)
      if (next.hash !== current.hash) options.onChange(next)
      current = next
    } catch (error) {
      options.onMistake(error instanceof Error ? error : new Error(String(error)))
    }
    return current
  }
}

function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats ? `${stats.mtimeMs} ${stats.size} ${stats.ino}` : 'missing'
}
