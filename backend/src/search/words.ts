/** Longer words are cut: PostgreSQL takes no lexeme above 2 kB, and nobody types one. */
const longestWord = 100

const spelledOut: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
  ё: 'е',
}

/** Folds case, accents of Latin and Greek letters, and compatibility forms. Keeps й, which stemming needs. */
export const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/([\p{Script=Latin}\p{Script=Greek}])[\u0300-\u036f]+/gu, '$1')
    .normalize('NFC')
    .toLowerCase()
    .normalize('NFC')
    .replace(/[ßæœøđðþłıё]/g, (letter) => spelledOut[letter] as string)

/** The words of a text in order: runs of letters, digits and their marks, folded. Never contains white space, quotes or operators. */
export function wordsOf(text: string, most = Number.POSITIVE_INFINITY): string[] {
  const words: string[] = []
  for (const [word] of fold(text).matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    if (words.length >= most) break
    words.push(word.slice(0, longestWord).toWellFormed())
  }
  return words
}

/**
 * The other ways people type a file name: the pieces of `sunsetBeach.jpg` and `DSC00042.jpg` in their order, a number without its zeros,
 * the name without its punctuation.
 */
export function piecesOfName(name: string): string[] {
  const words = wordsOf(name)
  const pieces = wordsOf(
    name
      .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
      .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
      .replace(/(\p{L})(\p{N})/gu, '$1 $2')
      .replace(/(\p{N})(\p{L})/gu, '$1 $2'),
  )
  const numbers = pieces.filter((piece) => /^0+[1-9]\d*$/.test(piece)).map((piece) => piece.replace(/^0+/, ''))
  const glued = wordsOf(name.replace(/\.[^.]{1,10}$/, ''))
    .join('')
    .slice(0, longestWord)
    .toWellFormed()
  const known = new Set([...words, ...pieces, ''])
  return [...(pieces.length === words.length ? [] : pieces), ...[...numbers, glued].filter((word) => !known.has(word))]
}
