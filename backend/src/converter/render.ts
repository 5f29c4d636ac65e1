import type { RenderedPreviews } from '../ingest/types.ts'
import { cleanText } from '../ingest/clean-text.ts'
import { isCutBoxFile } from './box-file.ts'
import { cascade } from './cascade.ts'
import { readHdr } from './high-dynamic-range.ts'
import { methodsOf, previewMethods, type PreviewMethod } from './preview-methods.ts'
import type { Decode, RenderJob } from './provider.ts'
import { withoutPaths } from './without-paths.ts'
import { coverArt } from './providers/cover-art.ts'
import { embeddedPreview, embeddedThumbnail } from './providers/embedded-picture.ts'
import { magickImage } from './providers/magick.ts'
import { pdf } from './providers/pdf.ts'
import { sharpImage } from './providers/sharp-image.ts'
import { storedPicture } from './providers/stored-picture.ts'
import { svg } from './providers/svg.ts'
import { videoPoster } from './providers/video.ts'
import { vipsThumbnail } from './providers/vips.ts'
import { failed, Refusal, unavailable } from './refusal.ts'

const decoders: Record<PreviewMethod, Decode> = {
  sharp: sharpImage,
  resvg: svg,
  pdfium: pdf,
  vipsthumbnail: vipsThumbnail,
  magick: magickImage,
  'embedded-preview': embeddedPreview,
  'embedded-thumbnail': embeddedThumbnail,
  ffmpeg: videoPoster,
  'cover-art': coverArt,
  'stored-picture': storedPicture,
}

/** Makes preview, thumbnail and placeholder with the first method that can. Throws a `Refusal` that says why there is none. */
export async function render(job: RenderJob): Promise<RenderedPreviews> {
  const { mimeType } = job.identified
  const methods = methodsOf(mimeType)
  const reasons: { method: PreviewMethod; message: string }[] = []
  let missing: PreviewMethod | undefined
  for (const method of methods) {
    if (!isInstalled(method, job)) {
      missing ??= method
      continue
    }
    try {
      const rendered = await renderWith(method, job)
      const damage = rendered.damage ?? (await damageOf(job, reasons))
      return damage ? { ...rendered, damage } : rendered
    } catch (error) {
      if (error instanceof Refusal) throw error
      reasons.push({ method, message: withoutPaths(firstLine(error), job.path) })
    }
  }
  if (missing && reasons.every(({ method }) => method === 'embedded-thumbnail')) {
    const needed = needsOf(missing)
    throw unavailable(
      'tool-missing',
      `Previews of this type need ${needed}, which is not installed on the server.`,
      needed,
    )
  }
  if (reasons.every(({ method }) => method === 'embedded-thumbnail')) {
    throw unavailable(
      'no-preview-for-type',
      `There is no preview for this kind of file yet (${mimeType}). The original is kept and can be downloaded.`,
    )
  }
  const said = reasons
    .map(({ method, message }) => `${method}: ${message}`)
    .join('; ')
    .slice(0, 600)
  throw failed(
    'undecodable',
    `No preview could be made; the file is probably damaged. Open it in the program that made it and save it again. (${said})`,
  )
}

/** Decoders that forgive show half a picture without a word; the container and the stricter decoder before them tell. */
async function damageOf(
  job: RenderJob,
  reasons: readonly { method: PreviewMethod; message: string }[],
): Promise<string | undefined> {
  const strict = reasons.find(({ method }) => method === 'sharp')
  if (strict && !job.identified.mimeType.startsWith('image/avif')) return damaged(strict.message)
  if (!boxTypes.test(job.identified.mimeType) || !(await isCutBoxFile(job.path))) return undefined
  return 'The file is cut off before its end; the preview shows what could be read. Upload it again from the original.'
}

const boxTypes = /^(image\/(hei[cf]|avif|jp2|jpx)|video\/(mp4|quicktime|x-m4v|3gpp2?)$)/

const needsOf = (method: PreviewMethod) => {
  const definition = previewMethods[method]
  return 'needs' in definition ? definition.needs : undefined
}

function isInstalled(method: PreviewMethod, job: RenderJob): boolean {
  const needed = needsOf(method)
  return needed === undefined || job.tools[needed] !== undefined
}

async function renderWith(method: PreviewMethod, job: RenderJob): Promise<RenderedPreviews> {
  const decoded = await decoders[method](job)
  const common = { measures: decoded.measures, provider: method, ...(decoded.damage ? { damage: decoded.damage } : {}) }
  const hdr = /^image\/(avif|hei[cf])$/.test(job.identified.mimeType) ? await readHdr(job.path) : undefined
  try {
    return { ...common, ...(await cascade(decoded.picture, job.outputFolder, hdr)) }
  } catch (error) {
    if (!decoded.fallback) throw error
    const result = await cascade(decoded.fallback(), job.outputFolder)
    return { ...common, ...result, damage: damaged(withoutPaths(firstLine(error), job.path)) }
  }
}

const damaged = (because: string): string =>
  cleanText(`The file is damaged (${because}); the preview shows what could be read.`, 500)

const messageOf = (error: unknown): string =>
  error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)
    ? String(error.message)
    : String(error)

const firstLine = (error: unknown): string =>
  messageOf(error)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)[0]
    ?.slice(0, 200) ?? 'unknown error'
