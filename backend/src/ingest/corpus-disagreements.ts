import { comparedFields, type ComparedField } from './corpus-comparison.ts'
import type { CorpusResult } from './read-corpus.ts'

const model = 'The reference tools know no 3D formats; the name they give is that of the container or of plain text.'
const sidecar = 'A sidecar describes the pixels of another file; it has none itself.'
const stub =
  'The pixels of this sample were cut out; the reference tools measured the stub, DAM what the RAW data states or the decoder gives.'
const locked = 'The PDF needs a password; the reference was made with it. DAM opens no protected document.'
const year = 'The year of a recording is not a time of capture.'
const subject =
  'The reference counts the document subject as a keyword and does not divide lists; DAM takes keywords only and divides them.'
const cover = 'The size of the cover picture is not a size of the sound.'

/** Where DAM differs from the reference tools on purpose or for a known reason: path -> field -> reason. */
export const explainedDisagreements: Record<string, Partial<Record<ComparedField, string>>> = {
  '3d/BoxTextured.gltf': { type: model },
  '3d/Spider_binary.stl': { type: model },
  '3d/box.3mf': { type: model },
  '3d/cube.ply': { type: model },
  '3d/fixture.fbx': { type: model },
  '3d/fixture.stl': { type: model },
  '3d/spider.obj': { type: model },
  'audio/fixture-adts-mpeg4.aac': {
    duration: 'ADTS states no duration and the stream is cut; every reader estimates it from another bit rate.',
  },
  'audio/fixture-bad-offset.mp3': { size: cover, 'capture date': year },
  'audio/fixture-id3v2.flac': { 'capture date': year },
  'audio/fixture.amr': { duration: 'No reader of AMR durations is built in; the card shows none.' },
  'audio/with-attached-pic.mp3': { size: cover, 'capture date': year },
  'corrupt/truncated-orientation1.jxl': {
    size: 'The file is cut inside its first frame; no decoder here gets to the size.',
  },
  'heic/iphone_7.xmp': { size: sidecar },
  'heic/lightning_mini.heif': {
    type: 'HEIF with the short `mini` header, newer than the reference tools; the brand mif3 says HEIF.',
  },
  'hostile/bombs/gif-65535x65535-canvas.gif': {
    size: 'A frame of one pixel on a canvas of 65 535 x 65 535: the decoder shows the frame.',
  },
  'hostile/polyglot/gif-js.gif': {
    size: 'A script with the header of a GIF: no frame is inside, the stated size means nothing.',
  },
  'hostile/polyglot/html-pdf.pdf': {
    pages: 'It starts as HTML and is kept as HTML; a PDF hidden behind it is not opened.',
  },
  'hostile/svg/useDosTest.svg': { size: 'Refused: the drawing multiplies itself without end.' },
  'hostile/svg/xlinkLoopTest.svg': { size: 'Refused: the drawing contains itself.' },
  'hostile/svg/entityTest.svg': {
    size: 'The drawing states no size; DAM and the reference measure the text in different fonts.',
  },
  'jpeg/metadata/ladybug.xmp': { size: sidecar },
  'jpeg/metadata/photoshop.xmp': { size: sidecar },
  'jpeg/odd-exif/buggy_panorama.jpg': { gps: 'Latitude 213 is impossible and is not taken over.' },
  'jpeg/odd-exif/impossible-dates-and-gps.jpg': {
    'capture date': 'All zeros is no date; the next field that states one is taken.',
  },
  'office/SampleShow.pptx': { keywords: subject },
  'office/TestPoiXMLDocumentCorePropertiesGetKeywords.docx': { keywords: subject },
  'office/WordWithAttachments.docx': { keywords: subject },
  'office/documentProperties.docx': { keywords: subject },
  'pdf/bug1782186.pdf': { size: locked, pages: locked },
  'pdf/issue15893_reduced.pdf': { size: locked, pages: locked },
  'pdf/issue840.pdf': { keywords: subject },
  'pdf/pr6531_1.pdf': { pages: locked },
  'png/6.png': {
    size: 'Orientation in an EXIF chunk of a PNG: libvips shows the pixels as stored, which is upright here.',
  },
  'raw/DNG.dng': { size: stub },
  'raw/FujiFilm.raf': { size: stub },
  'raw/Nikon.nef': { size: stub },
  'raw/Panasonic.rw2': { size: stub },
  'raw/canon_eos_6d.dng': {
    size: 'The reference measured the thumbnail in IFD0; the photo itself has 1224 x 816 pixels.',
  },
  'raw/canon_eos_6d.xmp': { size: sidecar },
}

/** Why a field differs; undefined when nobody has explained it. */
export function explain(result: CorpusResult, field: ComparedField): string | undefined {
  const { path, error, warnings } = result
  const known = explainedDisagreements[path]?.[field]
  if (known) return known
  if (warnings.some((warning) => warning.startsWith('ExifTool needs Perl'))) return 'Perl is not installed here.'
  return error?.capability ? `${error.capability} is not installed here.` : undefined
}

/** The table of agreement for people, and every disagreement without an explanation. */
export function summarise(results: readonly CorpusResult[]): {
  table: string
  disagreements: string[]
  unexplained: string[]
} {
  const lines = ['field          compared  agree  explained  open']
  const disagreements: string[] = []
  const unexplained: string[] = []
  for (const field of comparedFields) {
    const rows = results.flatMap((result) =>
      result.comparisons
        .filter((row) => row.field === field)
        .map((row) => ({ ...row, path: result.path, reason: explain(result, field) })),
    )
    const differing = rows.filter(({ agrees }) => !agrees)
    const open = differing.filter(({ reason }) => reason === undefined)
    const numbers = [rows.length, rows.length - differing.length, differing.length - open.length, open.length]
    lines.push(
      `${field.padEnd(14)} ${numbers.map((number, index) => String(number).padStart([8, 6, 10, 5][index] ?? 0)).join(' ')}`,
    )
    const tell = (row: (typeof rows)[number]) =>
      `${field}: ${JSON.stringify(row.path)}: expected ${row.expected}, found ${row.found}: ${row.reason ?? 'NOT EXPLAINED'}`
    disagreements.push(...differing.map(tell))
    unexplained.push(...open.map(tell))
  }
  return { table: lines.join('\n'), disagreements, unexplained }
}
