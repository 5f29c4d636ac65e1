import { posix } from 'node:path'
import { limits } from '../limits.ts'
import { unavailable } from '../refusal.ts'
import type { Decode } from '../provider.ts'
import { ZipFile } from '../zip-file.ts'
import { decodeWithSharp } from './sharp-image.ts'

/** Where programs keep a picture of the document, best first. */
const places = [
  'mergedimage.png',
  'preview.png',
  'docProps/thumbnail.jpeg',
  'docProps/thumbnail.jpg',
  'docProps/thumbnail.png',
  'Thumbnails/thumbnail.png',
  'Metadata/thumbnail.png',
  'preview.jpg',
  'QuickLook/Thumbnail.jpg',
  'QuickLook/Thumbnail.png',
]

/** The picture of itself that a document in a ZIP container carries: office files, Krita, OpenRaster, 3MF, EPUB covers. */
export const storedPicture: Decode = async ({ path, identified }) => {
  await using zip = await ZipFile.open(path)
  const names = new Set(zip?.names)
  const place =
    places.find((name) => names.has(name)) ??
    (zip && identified.mimeType === 'application/epub+zip' ? await coverOf(zip) : undefined)
  const bytes = place && zip ? await zip.read(place, limits.embeddedPictureBytes) : undefined
  if (!bytes)
    throw unavailable(
      'no-stored-picture',
      'There is no preview for this kind of file yet, and it holds no picture of itself. The original is kept and can be downloaded.',
    )
  const decoded = await decodeWithSharp(bytes)
  return identified.type === 'image' ? decoded : { ...decoded, measures: {} }
}

async function coverOf(zip: ZipFile): Promise<string | undefined> {
  const text = async (name: string) =>
    (await zip.read(name, 2 * 1024 * 1024).catch(() => undefined))?.toString('utf8') ?? ''
  const root = /full-path="([^"]+)"/.exec(await text('META-INF/container.xml'))?.[1]
  if (!root) return undefined
  const listing = await text(root)
  const items = [...listing.matchAll(/<(?:opf:)?item\s[^<>]{1,2000}>/g)].map(([tag]) => tag)
  const attribute = (tag: string, name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
  const coverId = [...listing.matchAll(/<(?:opf:)?meta\s[^<>]{1,500}>/g)]
    .map(([tag]) => tag)
    .filter((tag) => attribute(tag, 'name') === 'cover')
    .map((tag) => attribute(tag, 'content'))[0]
  const item =
    items.find((tag) => /\bcover-image\b/.test(attribute(tag, 'properties') ?? '')) ??
    items.find((tag) => coverId !== undefined && attribute(tag, 'id') === coverId)
  const href = item ? attribute(item, 'href') : undefined
  return href ? posix.join(posix.dirname(root), decodeURIComponent(href)) : undefined
}
