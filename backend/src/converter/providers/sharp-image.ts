import sharp, { type Metadata, type Sharp } from 'sharp'
import { failed, refused } from '../refusal.ts'
import { limits } from '../limits.ts'
import type { Decode, Decoded } from '../provider.ts'

/** JPEG, PNG, WebP, GIF, TIFF, AVIF by libvips. */
export const sharpImage: Decode = ({ path }) => decodeWithSharp(path)

/** Opens a file or encoded bytes after a look at its header. A damaged picture is shown as far as it goes. */
export async function decodeWithSharp(input: string | Buffer, orientation?: number): Promise<Decoded> {
  const header = await sharp(input, { limitInputPixels: false, failOn: 'none' }).metadata()
  checkSize(header)
  const size = sizeAfterOrientation(header, orientation)
  const measures = {
    ...size,
    ...((header.pages ?? 1) > 1 && (header.format === 'gif' || header.format === 'webp') ? { animated: true } : {}),
    ...((header.pages ?? 1) > 1 && header.format === 'tiff' ? { pageCount: header.pages! } : {}),
  }
  const open = (failOn: 'none' | 'truncated'): Sharp => {
    const opened = sharp(input, { limitInputPixels: false, sequentialRead: true, failOn })
    return orientation === undefined ? opened.autoOrient() : orient(opened, orientation)
  }
  return { picture: open('truncated'), measures, fallback: () => open('none') }
}

/** Applies an EXIF orientation that the bytes themselves do not carry. sharp mirrors first and turns then, in whatever order it is told. */
export function orient(picture: Sharp, orientation: number): Sharp {
  switch (orientation) {
    case 2:
      return picture.flop()
    case 3:
      return picture.rotate(180)
    case 4:
      return picture.flip()
    case 5:
      return picture.flop().rotate(270)
    case 6:
      return picture.rotate(90)
    case 7:
      return picture.flop().rotate(90)
    case 8:
      return picture.rotate(270)
    default:
      return picture
  }
}

const sizeAfterOrientation = (header: Metadata, orientation: number | undefined): { width: number; height: number } => {
  if (orientation === undefined) return { width: header.autoOrient.width, height: header.autoOrient.height }
  return orientation >= 5
    ? { width: header.height, height: header.width }
    : { width: header.width, height: header.height }
}

function checkSize(header: Metadata): void {
  const { width, height } = header
  if (!width || !height)
    throw failed('no-pixels', 'The file states no picture size. It is damaged; upload it again from the original.')
  const shrinksWhileReading = header.format === 'jpeg' && !header.isProgressive
  const allowed = shrinksWhileReading ? limits.shrinkablePixels : limits.decodedPixels
  if (width * height > allowed) {
    throw refused(
      'too-many-pixels',
      `The picture is ${width} x ${height} pixels (${Math.round((width * height) / 1e6)} megapixels); previews are made up to ${Math.round(allowed / 1e6)}. The original is kept and can be downloaded.`,
    )
  }
}
