import { wordsOf } from './words.ts'

/** Words that must stand next to each other. `exact`: as typed in quotes; `prefix`: still being typed. */
export type Term = { words: readonly string[]; exact: boolean; prefix: boolean }
/** One of the alternatives must match, or none of them. */
export type Clause = { alternatives: readonly Term[]; negated: boolean }

const mostTerms = 32

/**
 * Reads what a person typed: words (all must match), "phrases", -without, and OR (or |) between neighbours. Any text is a query;
 * whatever is no word is ignored, and no words at all is no clause.
 */
export function parseQuery(text: string): Clause[] {
  const clauses: { alternatives: Term[]; negated: boolean }[] = []
  let joining = false
  let terms = 0
  const tokens = [
    ...text.matchAll(
      /(?<minus>[-−](?=["“„«\p{L}\p{N}]))?(?:["“„«](?<phrase>[^"”“»]*)(?<closed>["”“»])?|(?<word>[^\s"“”„«»]+))/gu,
    ),
  ]
  for (const [index, token] of tokens.entries()) {
    const { minus, phrase, closed, word } = token.groups ?? {}
    if (minus === undefined && (word === 'OR' || word === '|' || word === 'ИЛИ')) {
      joining = clauses.length > 0
      continue
    }
    const words = wordsOf(phrase ?? word ?? '')
    if (words.length === 0) continue
    if (++terms > mostTerms) break
    const isLast = index === tokens.length - 1 && token.index + token[0].length === text.length
    const negated = minus !== undefined
    const exact = phrase !== undefined
    const lastWord = words.at(-1) as string
    // One letter alone would match half of the library.
    const prefix = isLast && !negated && (!exact || closed === undefined) && Array.from(lastWord).length >= 2
    const term: Term = { words, exact, prefix }
    const previous = clauses.at(-1)
    if (joining && previous && !negated && !previous.negated) previous.alternatives.push(term)
    else clauses.push({ alternatives: [term], negated })
    joining = false
  }
  return clauses
}
