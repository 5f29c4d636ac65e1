const mostBytes = 255
const deepest = 30

// Control characters (C0, DEL, C1) and the marks that turn text around, which let a name show as another one.
const unsafe = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu

/**
 * A file name as we keep and show it: text, never part of a path on our disk. NFC, without control and direction marks, at most 255
 * bytes of UTF-8 with its extension kept. What is left empty is `unnamed`.
 */
export function cleanFilename(text: string): string {
  const name = cleanSegment(text.slice(text.lastIndexOf('/') + 1))
  return name === '' || name === '.' || name === '..' ? 'unnamed' : name
}

/** The folders of a path relative to what was dropped, outermost first. Its last part is the file itself when it equals `filename`. */
export function foldersOf(relativePath: string, filename: string): string[] {
  const segments = relativePath.split('/').map(cleanSegment)
  if (segments.at(-1) === filename) segments.pop()
  return segments.filter((segment) => segment !== '' && segment !== '.' && segment !== '..').slice(0, deepest)
}

function cleanSegment(text: string): string {
  const clean = shorten(text.toWellFormed().replace(unsafe, '').normalize('NFC'))
  return clean.trim() === '' ? '' : clean
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= mostBytes) return name
  const extension = /\.[^.\s]{1,16}$/u.exec(name)?.[0] ?? ''
  const room = mostBytes - Buffer.byteLength(extension)
  let stem = ''
  let used = 0
  for (const character of name.slice(0, name.length - extension.length)) {
    used += Buffer.byteLength(character)
    if (used > room) break
    stem += character
  }
  return stem + extension
}
