import type { AssetType } from '@dam/contract'

/** mime type -> [type, extensions that promise it; the first is canonical] */
const table: Record<string, readonly [AssetType, ...string[]]> = {
  'image/jpeg': ['image', 'jpg', 'jpeg', 'jpe', 'jfif', 'mpo'],
  'image/png': ['image', 'png', 'apng'],
  'image/apng': ['image', 'apng', 'png'],
  'image/gif': ['image', 'gif'],
  'image/webp': ['image', 'webp'],
  'image/avif': ['image', 'avif', 'avifs'],
  'image/heic': ['image', 'heic', 'heif', 'hif'],
  'image/heif': ['image', 'heif', 'heic', 'hif'],
  'image/heic-sequence': ['image', 'heics', 'heic', 'heif'],
  'image/heif-sequence': ['image', 'heifs', 'heif', 'heic'],
  'image/tiff': ['image', 'tif', 'tiff'],
  'image/bmp': ['image', 'bmp', 'dib'],
  'image/x-icon': ['image', 'ico', 'cur'],
  'image/jxl': ['image', 'jxl'],
  'image/jp2': ['image', 'jp2', 'jpg2'],
  'image/jpx': ['image', 'jpx', 'jpf'],
  'image/jpm': ['image', 'jpm'],
  'image/x-j2c': ['image', 'j2c', 'j2k', 'jpc'],
  'image/jxr': ['image', 'jxr', 'wdp', 'hdp'],
  'image/svg+xml': ['image', 'svg'],
  'image/vnd.adobe.photoshop': ['image', 'psd', 'psb', 'psdt'],
  'image/x-exr': ['image', 'exr'],
  'image/vnd.radiance': ['image', 'hdr'],
  'image/x-portable-anymap': ['image', 'ppm', 'pgm', 'pbm', 'pnm', 'pam'],
  'image/x-tga': ['image', 'tga'],
  'image/x-dpx': ['image', 'dpx'],
  'image/x-pcx': ['image', 'pcx'],
  'image/x-xcf': ['image', 'xcf'],
  'image/x-mvg': ['image', 'mvg'],
  'application/x-krita': ['image', 'kra'],
  'image/openraster': ['image', 'ora'],
  'image/x-adobe-dng': ['image', 'dng'],
  'image/x-canon-cr2': ['image', 'cr2'],
  'image/x-canon-cr3': ['image', 'cr3'],
  'image/x-canon-crw': ['image', 'crw'],
  'image/x-nikon-nef': ['image', 'nef', 'nrw'],
  'image/x-sony-arw': ['image', 'arw', 'sr2', 'srf'],
  'image/x-fujifilm-raf': ['image', 'raf'],
  'image/x-olympus-orf': ['image', 'orf'],
  'image/x-panasonic-rw2': ['image', 'rw2', 'raw', 'rwl'],
  'image/x-pentax-pef': ['image', 'pef'],
  'image/x-minolta-mrw': ['image', 'mrw'],
  'image/x-samsung-srw': ['image', 'srw'],
  'image/x-sigma-x3f': ['image', 'x3f'],
  'image/x-kodak-raw': ['image', 'raw', 'dcr', 'kdc'],
  'application/pdf': ['document', 'pdf'],
  'application/vnd.adobe.illustrator': ['image', 'ai', 'pdf'],
  'application/postscript': ['image', 'eps', 'ps', 'epsf', 'ai'],
  'application/x-indesign': ['document', 'indd', 'indt'],
  'video/mp4': ['video', 'mp4', 'm4v', 'mp4v', 'mov'],
  'video/x-m4v': ['video', 'm4v', 'mp4'],
  'video/quicktime': ['video', 'mov', 'qt', 'mp4'],
  'video/webm': ['video', 'webm'],
  'video/x-matroska': ['video', 'mkv', 'mk3d'],
  'video/x-msvideo': ['video', 'avi'],
  'video/3gpp': ['video', '3gp', 'mp4'],
  'video/3gpp2': ['video', '3g2', '3gp'],
  'video/x-flv': ['video', 'flv', 'f4v'],
  'video/mpeg': ['video', 'mpg', 'mpeg', 'vob', 'mpe'],
  'video/mp2t': ['video', 'ts', 'mts', 'm2ts'],
  'video/x-ms-wmv': ['video', 'wmv', 'asf'],
  'video/x-ms-asf': ['video', 'asf', 'wmv', 'wma'],
  'video/ogg': ['video', 'ogv', 'ogg'],
  'application/mxf': ['video', 'mxf'],
  'audio/mpeg': ['audio', 'mp3', 'mp2'],
  'audio/mp4': ['audio', 'm4a', 'm4b', 'mp4'],
  'audio/flac': ['audio', 'flac'],
  'audio/ogg': ['audio', 'ogg', 'oga', 'opus', 'spx'],
  'audio/opus': ['audio', 'opus', 'ogg'],
  'audio/wav': ['audio', 'wav'],
  'audio/x-aiff': ['audio', 'aif', 'aiff', 'aifc'],
  'audio/aac': ['audio', 'aac'],
  'audio/amr': ['audio', 'amr'],
  'audio/x-ms-wma': ['audio', 'wma', 'asf'],
  'audio/x-dsf': ['audio', 'dsf'],
  'audio/ape': ['audio', 'ape'],
  'audio/wavpack': ['audio', 'wv'],
  'audio/x-musepack': ['audio', 'mpc'],
  'audio/midi': ['audio', 'mid', 'midi'],
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['document', 'docx'],
  'application/vnd.ms-word.document.macroenabled.12': ['document', 'docm'],
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': ['document', 'xlsx'],
  'application/vnd.ms-excel.sheet.macroenabled.12': ['document', 'xlsm'],
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': ['document', 'pptx'],
  'application/vnd.ms-powerpoint.presentation.macroenabled.12': ['document', 'pptm'],
  'application/msword': ['document', 'doc', 'dot'],
  'application/vnd.ms-excel': ['document', 'xls'],
  'application/vnd.ms-powerpoint': ['document', 'ppt', 'pps'],
  'application/vnd.ms-outlook': ['document', 'msg'],
  'application/x-cfb': ['document', 'doc', 'xls', 'ppt', 'msg', 'docx', 'xlsx', 'pptx'],
  'application/vnd.oasis.opendocument.text': ['document', 'odt'],
  'application/vnd.oasis.opendocument.spreadsheet': ['document', 'ods'],
  'application/vnd.oasis.opendocument.presentation': ['document', 'odp'],
  'application/vnd.oasis.opendocument.graphics': ['document', 'odg'],
  'application/epub+zip': ['document', 'epub'],
  'application/rtf': ['document', 'rtf'],
  'application/vnd.visio': ['document', 'vsdx'],
  'text/plain': ['document', 'txt', 'text', 'log', 'ini', 'conf', 'srt', 'vtt'],
  'text/markdown': ['document', 'md', 'markdown'],
  'text/csv': ['document', 'csv', 'tsv'],
  'text/html': ['document', 'html', 'htm', 'xhtml'],
  'text/css': ['document', 'css'],
  'text/javascript': ['document', 'js', 'mjs'],
  'application/json': ['document', 'json'],
  'application/xml': ['document', 'xml'],
  'application/rdf+xml': ['document', 'xmp'],
  'application/vnd.apple.photos': ['document', 'aae'],
  'application/x-yaml': ['document', 'yaml', 'yml'],
  'text/calendar': ['document', 'ics'],
  'text/vcard': ['document', 'vcf'],
  'model/gltf-binary': ['model', 'glb'],
  'model/gltf+json': ['model', 'gltf'],
  'model/stl': ['model', 'stl'],
  'model/obj': ['model', 'obj'],
  'model/mtl': ['model', 'mtl'],
  'model/ply': ['model', 'ply'],
  'model/3mf': ['model', '3mf'],
  'model/vnd.collada+xml': ['model', 'dae'],
  'model/fbx': ['model', 'fbx'],
  'application/x-blender': ['model', 'blend'],
  'font/ttf': ['font', 'ttf', 'otf'],
  'font/otf': ['font', 'otf'],
  'font/collection': ['font', 'ttc'],
  'font/woff': ['font', 'woff'],
  'font/woff2': ['font', 'woff2'],
  'application/vnd.ms-fontobject': ['font', 'eot'],
  'application/zip': ['archive', 'zip'],
  'application/x-tar': ['archive', 'tar'],
  'application/gzip': ['archive', 'gz', 'tgz'],
  'application/x-bzip2': ['archive', 'bz2'],
  'application/x-xz': ['archive', 'xz'],
  'application/zstd': ['archive', 'zst'],
  'application/x-7z-compressed': ['archive', '7z'],
  'application/x-rar-compressed': ['archive', 'rar'],
  'application/java-archive': ['archive', 'jar'],
  'application/x-iso9660-image': ['archive', 'iso'],
  'application/octet-stream': ['other'],
}

const extensionTypes = new Map<string, Set<string>>()
for (const [mimeType, [, ...extensions]] of Object.entries(table)) {
  for (const extension of extensions) {
    const types = extensionTypes.get(extension) ?? new Set()
    extensionTypes.set(extension, types.add(mimeType))
  }
}

/** Other names in use for a type of the table. */
const synonyms: Record<string, string> = {
  'image/vnd.ms-photo': 'image/jxr',
  'image/icns': 'application/octet-stream',
  'image/x-nikon-nrw': 'image/x-nikon-nef',
  'application/eps': 'application/postscript',
  'application/vnd.adobe.photoshop': 'image/vnd.adobe.photoshop',
  'application/dicom': 'application/octet-stream',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'audio/wave': 'audio/wav',
  'audio/aiff': 'audio/x-aiff',
  'audio/x-flac': 'audio/flac',
  'audio/x-m4a': 'audio/mp4',
  'audio/ogg; codecs=opus': 'audio/opus',
  'audio/x-ms-asf': 'audio/x-ms-wma',
  'audio/x-hx-aac-adts': 'audio/aac',
  'video/matroska': 'video/x-matroska',
  'video/matroska-3d': 'video/x-matroska',
  'video/vnd.avi': 'video/x-msvideo',
  'video/avi': 'video/x-msvideo',
  'application/vnd.ms-asf': 'video/x-ms-asf',
  'application/ogg': 'video/ogg',
  'application/x-mie': 'application/octet-stream',
  'application/vnd.rar': 'application/x-rar-compressed',
  'application/x-rar': 'application/x-rar-compressed',
  'application/x-gzip': 'application/gzip',
  'text/rtf': 'application/rtf',
  'application/x-font-ttf': 'font/ttf',
  'application/x-font-otf': 'font/otf',
  'application/vnd.ms-opentype': 'font/otf',
  'image/x-jp2-codestream': 'image/x-j2c',
  'image/j2c': 'image/x-j2c',
  'image/avif-sequence': 'image/avif',
  'image/x-fuji-raf': 'image/x-fujifilm-raf',
  'image/x-portable-pixmap': 'image/x-portable-anymap',
  'image/x-portable-graymap': 'image/x-portable-anymap',
  'image/x-portable-bitmap': 'image/x-portable-anymap',
}

/** Our name for a media type that another library states. */
export const canonicalMimeType = (mimeType: string): string => {
  const lower = mimeType.toLowerCase()
  return synonyms[lower] ?? lower
}

/** Asset type of a media type; families decide for those not listed. */
export const typeOf = (mimeType: string): AssetType => {
  const known = table[mimeType]?.[0]
  if (known) return known
  const family = mimeType.split('/')[0]
  if (family === 'image' || family === 'video' || family === 'audio' || family === 'model' || family === 'font')
    return family
  return family === 'text' ? 'document' : 'other'
}

export const canonicalExtension = (mimeType: string): string => table[mimeType]?.[1] ?? ''

/** Lower-case extension of a file name without its dot. */
export const extensionOf = (filename: string): string =>
  /[^/\\.][^/\\]*?\.([A-Za-z0-9]{1,10})$/.exec(filename)?.[1]?.toLowerCase() ?? ''

/** True when the extension is one we know and it promises something else than these bytes. */
export const contradicts = (extension: string, mimeType: string): boolean => {
  const promised = extensionTypes.get(extension)
  return promised !== undefined && !promised.has(mimeType)
}

/** Media types an extension promises. */
export const promisedBy = (extension: string): ReadonlySet<string> => extensionTypes.get(extension) ?? new Set()
