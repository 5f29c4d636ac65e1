import type { ToolName } from './tools.ts'

/** Everyone who can make a picture of a file, with the program it needs. */
export const previewMethods = {
  sharp: {},
  resvg: {},
  pdfium: {},
  vipsthumbnail: { needs: 'vipsthumbnail' },
  magick: {},
  'embedded-preview': { needs: 'perl' },
  'embedded-thumbnail': { needs: 'perl' },
  ffmpeg: { needs: 'ffmpeg' },
  'cover-art': {},
  'stored-picture': {},
} as const satisfies Record<string, { needs?: ToolName }>

export type PreviewMethod = keyof typeof previewMethods

const raw: PreviewMethod[] = ['embedded-preview', 'magick', 'embedded-thumbnail']
const modern: PreviewMethod[] = ['vipsthumbnail', 'magick', 'embedded-thumbnail']
const stored: PreviewMethod[] = ['stored-picture']
const rare: PreviewMethod[] = ['magick']

/** For each media type who tries, best first. */
const byMimeType: Record<string, readonly PreviewMethod[]> = {
  'image/jpeg': ['sharp', 'magick', 'embedded-thumbnail'],
  'image/png': ['sharp', 'magick'],
  'image/apng': ['sharp'],
  'image/gif': ['sharp', 'magick'],
  'image/webp': ['sharp', 'magick'],
  'image/avif': ['sharp', 'magick'],
  'image/tiff': ['sharp', 'magick', 'embedded-thumbnail'],
  'image/svg+xml': ['resvg'],
  'image/heic': modern,
  'image/heif': modern,
  'image/heic-sequence': modern,
  'image/heif-sequence': modern,
  'image/jxl': modern,
  'image/jp2': modern,
  'image/jpx': modern,
  'image/x-j2c': rare,
  'image/bmp': rare,
  'image/x-icon': rare,
  'image/vnd.adobe.photoshop': ['magick', 'embedded-thumbnail'],
  'image/x-xcf': rare,
  'image/x-exr': rare,
  'image/vnd.radiance': rare,
  'image/x-portable-anymap': rare,
  'image/x-tga': rare,
  'image/x-dpx': rare,
  'image/x-pcx': rare,
  'image/x-adobe-dng': raw,
  'image/x-canon-cr2': raw,
  'image/x-canon-cr3': raw,
  'image/x-canon-crw': raw,
  'image/x-nikon-nef': raw,
  'image/x-sony-arw': raw,
  'image/x-fujifilm-raf': raw,
  'image/x-olympus-orf': raw,
  'image/x-panasonic-rw2': raw,
  'image/x-pentax-pef': raw,
  'image/x-minolta-mrw': raw,
  'image/x-samsung-srw': raw,
  'image/x-sigma-x3f': raw,
  'image/x-kodak-raw': raw,
  'application/pdf': ['pdfium'],
  'application/vnd.adobe.illustrator': ['pdfium', 'embedded-thumbnail'],
  'application/postscript': ['embedded-thumbnail'],
  'application/x-indesign': ['embedded-thumbnail'],
  'application/mxf': ['ffmpeg'],
  'application/x-krita': stored,
  'image/openraster': stored,
  'model/3mf': stored,
  'application/epub+zip': stored,
}

export function methodsOf(mimeType: string): readonly PreviewMethod[] {
  const listed = byMimeType[mimeType]
  if (listed) return listed
  if (/^application\/vnd\.(openxmlformats|oasis|ms-word|ms-excel\.|ms-powerpoint\.)/.test(mimeType)) return stored
  if (mimeType.startsWith('video/')) return ['ffmpeg']
  return mimeType.startsWith('audio/') ? ['cover-art'] : []
}

/** Types whose decoder holds the JavaScript thread or much memory: they run alone, away from photos. */
export const isHeavy = (mimeType: string): boolean =>
  methodsOf(mimeType).length > 0 && !['sharp', 'cover-art', 'stored-picture'].includes(methodsOf(mimeType)[0]!)
