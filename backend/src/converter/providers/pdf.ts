import { readFile, stat } from 'node:fs/promises'
import type { PDFiumLibrary } from '@hyzyla/pdfium'
import sharp from 'sharp'
import { presetBoxes } from '../../renditions/presets.ts'
import { failed, refused, unavailable } from '../refusal.ts'
import { limits } from '../limits.ts'
import type { Decode } from '../provider.ts'

let loading: Promise<PDFiumLibrary> | undefined

/** Page 1 of a PDF (or of an Illustrator file saved with PDF inside) by PDFium in WebAssembly; scripts in it are never run. */
export const pdf: Decode = async ({ path }) => {
  const { size } = await stat(path)
  if (size > limits.documentBytes)
    throw refused(
      'file-too-large',
      `PDF previews are made up to ${limits.documentBytes / 2 ** 20} MiB. The original is kept and can be downloaded.`,
    )
  const { PDFiumLibrary: library } = await import('@hyzyla/pdfium')
  const pdfium = await (loading ??= library.init())
  const document = await pdfium.loadDocument(await readFile(path)).catch(explain)
  try {
    const pageCount = document.getPageCount()
    if (pageCount < 1)
      throw failed('no-pages', 'The PDF has no readable page. It is damaged; upload it again from the original.')
    const page = document.getPage(0)
    const points = page.getOriginalSize()
    const long = Math.max(points.originalWidth, points.originalHeight)
    if (!(long > 0))
      throw failed(
        'no-size',
        'The first page of the PDF has no size. It is damaged; upload it again from the original.',
      )
    const scale = Math.min(8, presetBoxes.preview.width / long)
    const image = await page.render({ scale, render: async ({ data }) => data, renderFormFields: true })
    return {
      picture: sharp(image.data, { raw: { width: image.width, height: image.height, channels: 4 } }).flatten({
        background: '#ffffff',
      }),
      measures: {
        width: Math.max(1, Math.round(points.originalWidth)),
        height: Math.max(1, Math.round(points.originalHeight)),
        pageCount,
      },
    }
  } finally {
    document.destroy()
  }
}

function explain(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error)
  if (/password/i.test(message))
    throw unavailable(
      'password-protected',
      'The PDF is protected by a password. Upload a copy without it to get a preview.',
    )
  throw failed('bad-pdf', `The PDF cannot be opened (${message}). It is damaged; upload it again from the original.`)
}
