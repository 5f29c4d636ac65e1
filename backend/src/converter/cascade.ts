import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { rgbaToThumbHash, thumbHashToAverageRGBA } from 'thumbhash'
import { toneMap, type Hdr } from './high-dynamic-range.ts'
import type { RenderedFile, RenderedPreviews } from '../ingest/types.ts'
import { presetBoxes } from '../renditions/presets.ts'

type Pixels = { data: Buffer; width: number; height: number; channels: 3 | 4 }

/**
 * One decode gives everything: the picture is shrunk to the preview while it is read, the thumbnail is made of the preview's pixels, the
 * placeholder of the thumbnail's. Output is sRGB without any metadata.
 * Measured on photos of 9.5 megapixels: reading with lanczos3 costs 9 ms more than with mitchell, optimised Huffman tables 6 ms for 2 % fewer bytes.
 * `picture` must already be oriented or carry its orientation; its profile is applied here.
 */
export async function cascade(
  picture: Sharp,
  outputFolder: string,
  hdr?: Hdr,
): Promise<Pick<RenderedPreviews, 'renditions' | 'placeholder' | 'colour'>> {
  const shrunk = picture.resize({ ...presetBoxes.preview, fit: 'inside', withoutEnlargement: true, kernel: 'mitchell' })
  const preview = hdr ? await toneMapped(shrunk, hdr) : await pixelsOf(shrunk.toColourspace('srgb'))
  const thumbnail = await pixelsOf(
    fromPixels(preview).resize({ ...presetBoxes.thumbnail, fit: 'inside', withoutEnlargement: true }),
  )
  const hash = await thumbHash(thumbnail)
  const { r, g, b } = thumbHashToAverageRGBA(hash)
  const previewFile =
    preview.channels === 4
      ? write(
          'preview',
          'webp',
          fromPixels(preview).webp({ quality: 82, alphaQuality: 90, effort: 2 }),
          preview,
          outputFolder,
        )
      : write('preview', 'jpg', fromPixels(preview).jpeg({ quality: 80, optimiseCoding: false }), preview, outputFolder)
  return {
    renditions: [
      await previewFile,
      await write(
        'thumbnail',
        'webp',
        fromPixels(thumbnail).webp({ quality: 76, alphaQuality: 85, effort: 2 }),
        thumbnail,
        outputFolder,
      ),
    ],
    placeholder: Buffer.from(hash).toString('base64'),
    colour: `#${[r, g, b]
      .map((part) =>
        Math.round(Math.min(1, Math.max(0, part)) * 255)
          .toString(16)
          .padStart(2, '0'),
      )
      .join('')}`,
  }
}

const fromPixels = ({ data, width, height, channels }: Pixels): Sharp =>
  sharp(data, { raw: { width, height, channels } })

/** 8-bit pixels; an alpha channel that hides nothing is dropped. */
async function pixelsOf(picture: Sharp): Promise<Pixels> {
  const { data, info } = await picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  const { width, height } = info
  if (info.channels === 3) return { data, width, height, channels: 3 }
  if (info.channels === 4)
    return isOpaque(data) ? { data: dropAlpha(data), width, height, channels: 3 } : { data, width, height, channels: 4 }
  const rgb = await sharp(data, { raw: { width, height, channels: info.channels } })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  if (rgb.info.channels !== 3 && rgb.info.channels !== 4)
    throw new Error(`unexpected number of channels: ${rgb.info.channels}`)
  return { data: rgb.data, width, height, channels: rgb.info.channels }
}

async function toneMapped(picture: Sharp, hdr: Hdr): Promise<Pixels> {
  const { data, info } = await picture
    .toColourspace('rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  if (channels !== 3 && channels !== 4) throw new Error(`unexpected number of channels: ${channels}`)
  const pixels = toneMap(new Uint16Array(data.buffer, data.byteOffset, data.length / 2), channels, hdr)
  return { data: pixels, width, height, channels }
}

function isOpaque(rgba: Buffer): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false
  return true
}

function dropAlpha(rgba: Buffer): Buffer {
  const rgb = Buffer.allocUnsafe((rgba.length / 4) * 3)
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from]!
    rgb[to + 1] = rgba[from + 1]!
    rgb[to + 2] = rgba[from + 2]!
  }
  return rgb
}

async function thumbHash(thumbnail: Pixels): Promise<Uint8Array> {
  const { data, info } = await fromPixels(thumbnail)
    .resize({ width: 32, height: 32, fit: 'inside', withoutEnlargement: true, kernel: 'linear' })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return rgbaToThumbHash(info.width, info.height, data)
}

async function write(
  preset: RenderedFile['preset'],
  extension: RenderedFile['extension'],
  picture: Sharp,
  { width, height }: Pixels,
  outputFolder: string,
): Promise<RenderedFile> {
  const path = join(outputFolder, `${preset}.${extension}`)
  const { size } = await picture.toFile(path)
  return {
    preset,
    path,
    extension,
    mimeType: extension === 'jpg' ? 'image/jpeg' : 'image/webp',
    width,
    height,
    sizeBytes: size,
  }
}
