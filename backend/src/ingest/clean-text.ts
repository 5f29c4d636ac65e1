/** Characters that steer a terminal or the direction of text, or that PostgreSQL refuses. Line breaks and tabs stay. */
// oxlint-disable-next-line no-control-regex
const steering =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/** Text of several lines as it may be stored and shown. */
export const cleanText = (text: string, maxLength = 20_000): string =>
  cut(text.toWellFormed().normalize('NFC').replace(/\r\n?/g, '\n').replace(steering, '').trim(), maxLength)

/** The same on one line. */
export const cleanLine = (text: string, maxLength = 500): string =>
  cut(cleanText(text, maxLength * 4).replace(/\s+/g, ' '), maxLength)

const cut = (text: string, maxLength: number): string =>
  text.length <= maxLength
    ? text
    : text
        .slice(0, maxLength)
        .toWellFormed()
        .replace(/\ufffd$/, '')
