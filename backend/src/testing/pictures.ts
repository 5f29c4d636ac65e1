import sharp, { type Sharp } from 'sharp'

/** A picture with a red top left, green top right, blue bottom left and white bottom right quarter. */
export function quarters(width: number, height: number): Sharp {
  const pixels = Buffer.alloc(width * height * 3)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const [left, top] = [x < width / 2, y < height / 2]
      pixels[at] = (top && left) || (!top && !left) ? 255 : 0
      pixels[at + 1] = (top && !left) || (!top && !left) ? 255 : 0
      pixels[at + 2] = !top ? 255 : 0
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

/** Names of the colours in the four quarters of a rendition: top left, top right, bottom left, bottom right. */
export async function coloursOf(path: string): Promise<string[]> {
  const { data, info } = await sharp(path).flatten({ background: '#000' }).raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => {
    const from = (Math.floor(info.height * y) * info.width + Math.floor(info.width * x)) * info.channels
    const bands = [0, 1, 2].map((band) => data[from + band] ?? 0)
    if (Math.min(...bands) > 200) return 'white'
    return Math.max(...bands) < 64 ? 'black' : (['red', 'green', 'blue'][bands.indexOf(Math.max(...bands))] ?? 'black')
  }
  return [at(0.25, 0.25), at(0.75, 0.25), at(0.25, 0.75), at(0.75, 0.75)]
}

/** A PDF of one blank A6 page for each entry. */
export function pdfOfPages(count: number): Buffer {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${count} /Kids [${Array.from({ length: count }, (_, n) => `${n + 3} 0 R`).join(' ')}] >>`,
  ]
  for (let n = 0; n < count; n++) objects.push('<< /Type /Page /Parent 2 0 R /MediaBox [0 0 298 420] >>')
  let text = '%PDF-1.4\n'
  const offsets: number[] = []
  for (const [index, body] of objects.entries()) {
    offsets.push(text.length)
    text += `${index + 1} 0 obj ${body} endobj\n`
  }
  const start = text.length
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')}trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(text, 'latin1')
}
