import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import { config } from './config.ts'

export type Photo = { name: string; bytes: Buffer; megapixels: number }

const wanted = { leastBytes: 2_200_000, mostBytes: 3_900_000 }

/** Different photos of about 3 MB: the real ones of DAM_PHOTOS, or generated ones where there are none. */
export async function basePhotos(): Promise<Photo[]> {
  const { photosDir } = config
  const files = existsSync(photosDir)
    ? readdirSync(photosDir).filter((name) => {
        const { size } = statSync(path.join(photosDir, name))
        return /\.jpe?g$/i.test(name) && size >= wanted.leastBytes && size <= wanted.mostBytes
      })
    : []
  if (files.length === 0) {
    console.log(`No photos of about 3 MB in ${photosDir} (DAM_PHOTOS); generated ones are used.`)
    return Promise.all(Array.from({ length: 6 }, (_, index) => generatePhoto(index)))
  }
  const photos = files.toSorted().map((name) => ({ name, bytes: readFileSync(path.join(photosDir, name)) }))
  return Promise.all(
    photos.map(async ({ name, bytes }) => {
      const { width, height } = await sharp(bytes).metadata()
      return { name, bytes, megapixels: (width * height) / 1e6 }
    }),
  )
}

/** The same picture in a file that no other has: a comment segment with random bytes after the header segments. */
export function makeUnique(photo: Buffer): Buffer {
  const comment = Buffer.from(`bench ${randomBytes(16).toString('hex')}`)
  const segment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, comment.length + 2]), comment])
  let at = 2
  while (photo[at] === 0xff && ((photo[at + 1] ?? 0) & 0xf0) === 0xe0) at += 2 + photo.readUInt16BE(at + 2)
  return Buffer.concat([photo.subarray(0, at), segment, photo.subarray(at)])
}

/** 8 megapixels of soft gradients under noise, which compresses to about 3 MB, with the metadata a camera writes. */
async function generatePhoto(index: number): Promise<Photo> {
  const [width, height] = [3264, 2448]
  const noise = await sharp({
    create: { width, height, channels: 3, background: 'black', noise: { type: 'gaussian', mean: 0, sigma: 14 } },
  })
    .raw()
    .toBuffer()
  const tint = (offset: number): number => Math.round(127 + 100 * Math.sin(index * 2 + offset))
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="rgb(${tint(0)},${tint(2)},${tint(4)})"/><stop offset="1" stop-color="rgb(${tint(3)},${tint(5)},${tint(1)})"/></linearGradient></defs><rect width="100%" height="100%" fill="url(#g)"/></svg>`
  const bytes = await sharp(Buffer.from(svg))
    .flatten()
    .composite([{ input: noise, raw: { width, height, channels: 3 }, blend: 'add' }])
    .withExif({
      IFD0: { Make: 'DAM', Model: `Bench ${index}` },
      IFD2: { DateTimeOriginal: '2024:05:17 12:34:56', FNumber: '28/10', ISOSpeedRatings: '200' },
    })
    .jpeg({ quality: 90 })
    .toBuffer()
  return { name: `generated-${index}.jpg`, bytes, megapixels: (width * height) / 1e6 }
}
