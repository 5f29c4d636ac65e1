/**
 * Splits SQL at the semicolons that end statements: not those in strings, quoted names, dollar quotes or comments.
 * Needed only outside transactions, because the server runs a text of several statements as one transaction.
 */
export const splitStatements = (text: string): string[] =>
  statementsWithOffsets(text).map((statement) => statement.text)

/** The same, each with where it begins in `text`. */
export function statementsWithOffsets(text: string): { text: string; offset: number }[] {
  const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|;/g
  const statements: { text: string; offset: number }[] = []
  let start = 0
  const add = (end?: number): void => {
    const part = text.slice(start, end)
    if (withoutComments(part) === '') return
    statements.push({ text: part.trim(), offset: start + part.length - part.trimStart().length })
  }
  for (const match of text.matchAll(token)) {
    if (match[0] !== ';') continue
    add(match.index)
    start = match.index + 1
  }
  add()
  return statements
}

export const withoutComments = (text: string): string => text.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, '').trim()
