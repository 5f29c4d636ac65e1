import { readFile, stat } from 'node:fs/promises'
import type { Resvg } from '@resvg/resvg-js'
import sharp from 'sharp'
import { presetBoxes } from '../../renditions/presets.ts'
import { failed, refused } from '../refusal.ts'
import { limits } from '../limits.ts'
import type { Decode } from '../provider.ts'

/** resvg knows no scripts and no network; links to files are taken out before it sees them. */
export const svg: Decode = async ({ path }) => {
  const { size } = await stat(path)
  if (size > limits.svgBytes)
    throw refused(
      'file-too-large',
      `SVG previews are made up to ${limits.svgBytes / 2 ** 20} MiB. The original is kept and can be downloaded.`,
    )
  const source = withoutOutsideLinks(decodeXml(await readFile(path)))
  const resvg = await import('@resvg/resvg-js')
  const intrinsic = measure(source, resvg.Resvg)
  const long = Math.max(intrinsic.width, intrinsic.height)
  if (!Number.isFinite(long) || long <= 0)
    throw failed('no-size', 'The drawing states no usable size. Add width, height or a viewBox to the SVG.')
  const box = presetBoxes.preview
  const fitTo =
    intrinsic.width >= intrinsic.height
      ? { mode: 'width' as const, value: box.width }
      : { mode: 'height' as const, value: box.height }
  const image = statesSize(source)
    ? await resvg.renderAsync(source, { fitTo, font: { loadSystemFonts: true } })
    : renderInk(source, resvg.Resvg)
  const { width, height } = image
  return {
    picture: sharp(image.pixels, { raw: { width, height, channels: 4, premultiplied: true } }),
    measures: statesSize(source)
      ? { width: Math.max(1, Math.round(intrinsic.width)), height: Math.max(1, Math.round(intrinsic.height)) }
      : { width, height },
  }
}

const statesSize = (source: string): boolean =>
  /\b(viewBox|width|height)\s*=/.test(/<(?:[\w-]+:)?svg\b[^>]*>/.exec(source)?.[0] ?? '')

/** A drawing without any size is shown as far as there is ink. */
function renderInk(source: string, Drawing: typeof Resvg): { pixels: Buffer; width: number; height: number } {
  const drawing = new Drawing(source, { font: { loadSystemFonts: true } })
  const ink = drawing.innerBBox()
  if (ink) drawing.cropByBBox(ink)
  return drawing.render()
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function measure(source: string, Drawing: typeof Resvg): { width: number; height: number } {
  try {
    const { width, height } = new Drawing(source, { font: { loadSystemFonts: false } })
    return { width, height }
  } catch (error) {
    if (/nodes limit/.test(messageOf(error)))
      throw refused(
        'too-complex',
        'The drawing refers to itself or repeats its parts more often than a preview can follow. The original is kept and can be downloaded.',
      )
    throw failed(
      'bad-svg',
      `The drawing cannot be read: ${messageOf(error)}. Open it in a drawing program and export it again.`,
    )
  }
}

/** Every reference that is neither to the document itself nor inline data is emptied. */
const withoutOutsideLinks = (source: string): string =>
  source.replace(
    /((?:xlink:)?href|src)\s*=\s*(?:"([^"]*)"|'([^']*)')/gi,
    (whole, name: string, double?: string, single?: string) => {
      const target = (double ?? single ?? '').trim()
      return target.startsWith('#') || /^data:image\//i.test(target) ? whole : `${name}=""`
    },
  )

function decodeXml(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le')
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)))
      .swap16()
      .toString('utf16le')
  const latin = /^<\?xml[^>]*encoding=["'](iso-8859-1|latin1|windows-1252)["']/i.test(
    bytes.subarray(0, 200).toString('latin1'),
  )
  return latin ? bytes.toString('latin1') : bytes.toString('utf8').replace(/^\ufeff/, '')
}
