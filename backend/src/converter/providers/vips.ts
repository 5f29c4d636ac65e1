import { join } from 'node:path'
import sharp from 'sharp'
import { limits } from '../limits.ts'
import type { Decode } from '../provider.ts'
import { checkStatedSize } from '../stated-size.ts'
import { runTool } from '../run-tool.ts'

/** Debian's vips reads HEIC, JPEG XL and JPEG 2000 two to eight times faster than WebAssembly does. */
export const vipsThumbnail: Decode = async ({ path, tools, outputFolder, measures }) => {
  checkStatedSize(measures)
  const output = join(outputFolder, 'vips.tif')
  const run = await runTool(
    tools,
    [tools.vipsthumbnail!, path, '--size', '1440x1440>', '-o', `${output}[compression=none]`],
    {
      folder: outputFolder,
      timeoutMs: limits.imageMs,
    },
  )
  if (run.exitCode !== 0) throw new Error(run.stderr.trim().slice(0, 500) || `vipsthumbnail ended with ${run.exitCode}`)
  const header = await sharp(output).metadata()
  const size = { width: header.autoOrient.width, height: header.autoOrient.height }
  // Some versions shrink JPEG 2000 pictures further than asked.
  const wanted = Math.min(1440, Math.max(measures.width ?? 0, measures.height ?? 0))
  if (Math.max(size.width, size.height) < wanted - 2)
    throw new Error(`vipsthumbnail returned only ${size.width} x ${size.height} pixels`)
  return {
    picture: sharp(output).autoOrient(),
    measures: Math.max(size.width, size.height) < 1440 ? size : sizeOfOriginal(size, measures),
  }
}

/** The stated size, turned where the decoder turned the picture; the decoded size where nothing is stated or the shapes differ. */
function sizeOfOriginal(decoded: { width: number; height: number }, stated: { width?: number; height?: number }) {
  const { width, height } = stated
  if (!width || !height) return decoded
  const shape = decoded.width / decoded.height
  const close = (ratio: number) => Math.abs(ratio / shape - 1) < 0.02
  if (close(width / height)) return { width, height }
  return close(height / width) ? { width: height, height: width } : decoded
}
