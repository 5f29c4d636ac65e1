import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { LineCounter, parseDocument } from 'yaml'
import { findContradictions, type Policy, policySchema } from './policy.ts'

/** The policy that ships with this release. */
export const shippedPolicyFile = fileURLToPath(new URL('../../policy.yaml', import.meta.url))

/** All mistakes of a policy file together, each with its line. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError'
  readonly mistakes: readonly string[]
  constructor(file: string, mistakes: readonly string[]) {
    super(`${file} cannot be used:\n${mistakes.map((line) => `  - ${line}`).join('\n')}`)
    this.mistakes = mistakes
  }
}

export type ReadPolicy = {
  policy: Policy
  file: string
  /** sha256 of the file's text, first 16 digits; exports carry it. */
  hash: string
}

/** Reads and checks a policy file. Throws PolicyError naming every mistake with its line. */
export function readPolicy(file: string = shippedPolicyFile): ReadPolicy {
  return parsePolicy(readFileSync(file, 'utf8'), file)
}

export function parsePolicy(text: string, file: string): ReadPolicy {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineOf = (offset: number | undefined): string =>
    offset === undefined ? '' : `line ${lines.linePos(offset).line}: `
  if (document.errors.length > 0) {
    throw new PolicyError(
      file,
      document.errors.map((error) => `${lineOf(error.pos[0])}${error.message}`),
    )
  }
  const at = (path: readonly PropertyKey[]): string => {
    // The node itself, or the nearest one above it that is there.
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      if (node && typeof node === 'object' && 'range' in node) {
        return `${lineOf((node.range as [number] | undefined)?.[0])}${path.map(String).join('.')}`
      }
    }
    return path.map(String).join('.')
  }
  const parsed = policySchema.safeParse(document.toJS())
  if (!parsed.success) {
    throw new PolicyError(
      file,
      parsed.error.issues.map((issue) => `${at(issue.path)}: ${issue.message}`),
    )
  }
  const contradictions = findContradictions(parsed.data)
  if (contradictions.length > 0) {
    throw new PolicyError(
      file,
      contradictions.map(({ path, message }) => `${at(path)}: ${message}`),
    )
  }
  return { policy: parsed.data, file, hash: createHash('sha256').update(text).digest('hex').slice(0, 16) }
}
