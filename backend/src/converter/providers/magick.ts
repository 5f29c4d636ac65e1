import { createRequire } from 'node:module'
import { readFile, stat } from 'node:fs/promises'
import sharp from 'sharp'
import type * as Magick from '@imagemagick/magick-wasm'
import type { IMagickImage, MagickFormat as Format } from '@imagemagick/magick-wasm'
import { presetBoxes } from '../../renditions/presets.ts'
import { refused } from '../refusal.ts'
import { limits } from '../limits.ts'
import { checkStatedSize } from '../stated-size.ts'
import type { Decode } from '../provider.ts'

/** ImageMagick as WebAssembly: a bug in one of its decoders is a trap, not a hole. Loaded when the first file needs it. */
let loading: Promise<typeof Magick> | undefined

const load = () =>
  (loading ??= (async () => {
    const magick = await import('@imagemagick/magick-wasm')
    const wasm = createRequire(import.meta.url).resolve('@imagemagick/magick-wasm/magick.wasm')
    await magick.initializeImageMagick(await readFile(wasm))
    magick.ResourceLimits.width = BigInt(limits.side)
    magick.ResourceLimits.height = BigInt(limits.side)
    magick.ResourceLimits.area = BigInt(limits.decodedPixels)
    return magick
  })())

const formats: Record<string, Format> = {
  'image/heic': 'HEIC',
  'image/heif': 'HEIC',
  'image/heic-sequence': 'HEIC',
  'image/heif-sequence': 'HEIC',
  'image/avif': 'AVIF',
  'image/jxl': 'JXL',
  'image/jp2': 'JP2',
  'image/jpx': 'JP2',
  'image/x-j2c': 'J2C',
  'image/bmp': 'BMP',
  'image/x-icon': 'ICO',
  'image/vnd.adobe.photoshop': 'PSD',
  'image/x-exr': 'EXR',
  'image/vnd.radiance': 'HDR',
  'image/x-portable-anymap': 'PNM',
  'image/x-tga': 'TGA',
  'image/x-dpx': 'DPX',
  'image/x-pcx': 'PCX',
  'image/x-xcf': 'XCF',
  'image/x-adobe-dng': 'DNG',
  'image/x-canon-cr2': 'CR2',
  'image/x-canon-cr3': 'CR3',
  'image/x-canon-crw': 'CRW',
  'image/x-nikon-nef': 'NEF',
  'image/x-sony-arw': 'ARW',
  'image/x-fujifilm-raf': 'RAF',
  'image/x-olympus-orf': 'ORF',
  'image/x-panasonic-rw2': 'RW2',
  'image/x-pentax-pef': 'PEF',
  'image/x-minolta-mrw': 'MRW',
  'image/x-sigma-x3f': 'X3F',
  'image/x-kodak-raw': 'DNG',
  'image/tiff': 'TIFF',
  'image/png': 'PNG',
  'image/gif': 'GIF',
  'image/webp': 'WEBP',
  'image/jpeg': 'JPEG',
}

const cameraRaw = /^image\/x-(adobe|canon|nikon|sony|fuji|olympus|panasonic|pentax|minolta|samsung|sigma|kodak)/

/** The format is always ours, from the signature: ImageMagick never guesses, so its script formats cannot be reached. */
export const magickImage: Decode = async ({ path, identified, measures }) => {
  const format = formats[identified.mimeType]
  if (!format) throw new Error(`no ImageMagick reader for ${identified.mimeType}`)
  checkStatedSize(measures)
  const { size } = await stat(path)
  if (size > limits.imageBytes / 4)
    throw refused(
      'file-too-large',
      `Previews of this type are made up to ${limits.imageBytes / 4 / 2 ** 20} MiB; this file has ${Math.round(size / 2 ** 20)}. The original is kept and can be downloaded.`,
    )
  // A RAW file without its sensor data would be developed to noise.
  if (
    cameraRaw.test(identified.mimeType) &&
    measures.width &&
    measures.height &&
    size * 8 < measures.width * measures.height * 0.1
  ) {
    throw new Error(`${size} bytes cannot hold ${measures.width} x ${measures.height} pixels`)
  }
  const magick = await load()
  const directColours = new Set<number>([
    magick.ColorSpace.sRGB,
    magick.ColorSpace.Gray,
    magick.ColorSpace.LinearGray,
    magick.ColorSpace.RGB,
    magick.ColorSpace.CMYK,
  ])
  const bytes = await readFile(path)
  const settings = new magick.MagickReadSettings({ format, frameIndex: 0, frameCount: 1 })
  const read = magick.ImageMagick.read(bytes, settings, (image: IMagickImage) => {
    image.autoOrient()
    if (!directColours.has(image.colorSpace)) image.colorSpace = magick.ColorSpace.sRGB
    const width = image.width
    const height = image.height
    checkStatedSize({ width, height })
    const box = presetBoxes.preview
    const ratio = Math.min(1, box.width / width, box.height / height)
    if (ratio < 1)
      image.resize(
        Math.max(1, Math.round(width * ratio)),
        Math.max(1, Math.round(height * ratio)),
        magick.FilterType.Box,
      )
    image.depth = image.depth > 8 ? 16 : 8
    image.settings.compression = magick.CompressionMethod.NoCompression
    return { width, height, tiff: image.write(magick.MagickFormat.Tiff, (data) => Buffer.from(data)) }
  })
  return {
    picture: sharp(read.tiff, { limitInputPixels: false }),
    measures: { width: read.width, height: read.height },
  }
}
