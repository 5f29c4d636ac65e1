import sharp from 'sharp'
import type { RawTags } from '../../ingest/types.ts'
import { limits } from '../limits.ts'
import type { Decode, Decoded, RenderJob } from '../provider.ts'
import { decodeWithSharp } from './sharp-image.ts'

const pictureTags = [
  'JpgFromRaw',
  'JpgFromRaw2',
  'PreviewImage',
  'OtherImage',
  'PageImage',
  'PhotoshopThumbnail',
  'ThumbnailImage',
  'PreviewTIFF',
  'CoverArt',
  'Picture',
]

/** The largest picture that the camera or program stored inside the file, when it is as good as a preview should be. */
export const embeddedPreview: Decode = (job) => embedded(job, 960)

/** The same at any size, when nothing better could be made. */
export const embeddedThumbnail: Decode = async (job) => ({
  ...(await embedded(job, 1)),
  damage: 'Only the small picture stored inside the file could be shown; the full image could not be decoded.',
})

async function embedded({ path, exiftool, measures }: RenderJob, leastSide: number): Promise<Decoded> {
  if (!exiftool) throw new Error('ExifTool is not available to look for an embedded picture')
  const tags = await exiftool.read(path, ['-b', '-G1', '-Orientation#', ...pictureTags.map((tag) => `-${tag}`)])
  const orientation = orientationOf(tags)
  const pictures: { bytes: Buffer; width: number; height: number; orientation: number | undefined }[] = []
  for (const value of Object.values(tags)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item !== 'string' || !item.startsWith('base64:')) continue
      if (item.length > limits.embeddedPictureBytes) continue
      const bytes = Buffer.from(item.slice('base64:'.length), 'base64')
      const header = await sharp(bytes, { failOn: 'none' })
        .metadata()
        .catch(() => undefined)
      if (header) pictures.push({ bytes, width: header.width, height: header.height, orientation: header.orientation })
    }
  }
  const best = pictures.sort((a, b) => b.width * b.height - a.width * a.height)[0]
  if (!best) throw new Error('the file holds no embedded picture')
  const longest = Math.max(measures.width ?? 0, measures.height ?? 0)
  if (Math.max(best.width, best.height) < Math.min(leastSide, longest || leastSide))
    throw new Error(`the embedded picture has only ${best.width} x ${best.height} pixels`)
  const decoded = await decodeWithSharp(best.bytes, best.orientation ?? orientation)
  return { ...decoded, measures: { ...decoded.measures, ...upright(measures, decoded.measures) } }
}

const orientationOf = (tags: RawTags): number => {
  const stated = tags['IFD0:Orientation'] ?? Object.entries(tags).find(([name]) => name.endsWith(':Orientation'))?.[1]
  return typeof stated === 'number' && stated >= 1 && stated <= 8 ? stated : 1
}

/** Size of the full picture where it is known and has the shape of the embedded one. */
function upright(stated: RenderJob['measures'], shown: RenderJob['measures']) {
  const { width, height } = stated
  if (!width || !height || !shown.width || !shown.height || width * height <= shown.width * shown.height) return {}
  const turned = shown.width !== shown.height && width > height !== shown.width > shown.height
  return turned ? { width: height, height: width } : { width, height }
}
