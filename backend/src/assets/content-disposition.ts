/**
 * `Content-Disposition` for any name (RFC 6266, RFC 8187): an ASCII approximation for old clients and the name itself, percent-encoded.
 * The result is printable ASCII whatever the name holds, so it cannot end the header.
 */
export function contentDisposition(kind: 'attachment' | 'inline', filename: string): string {
  const name = filename.toWellFormed()
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/g, '_')
    .replace(/["\\%/]/g, '_')
  const isPlain = plain === name
  return isPlain ? `${kind}; filename="${plain}"` : `${kind}; filename="${plain}"; filename*=UTF-8''${encode(name)}`
}

/** attr-char of RFC 8187: encodeURIComponent leaves four characters too many. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
