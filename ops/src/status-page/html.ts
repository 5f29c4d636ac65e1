/** Text that is HTML already. */
export type Html = { readonly html: string }

type Part = string | number | Html | readonly Html[] | null

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Also right for XML; drops what XML cannot hold. */
export const escapeText = (text: string): string =>
  text
    .replaceAll(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, '')
    .replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character)

/** Takes text as HTML, as it is; never what came from outside. */
export const raw = (text: string): Html => ({ html: text })

/** A template whose parts are escaped unless they are HTML themselves. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return raw(strings.map((string, index) => string + textOf(parts[index] ?? null)).join(''))
}

function textOf(part: Part): string {
  if (part === null) return ''
  if (typeof part !== 'object') return escapeText(String(part))
  return 'html' in part ? part.html : part.map((one) => one.html).join('')
}
