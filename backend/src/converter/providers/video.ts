import { open } from 'node:fs/promises'
import sharp from 'sharp'
import { limits } from '../limits.ts'
import type { Decode, RenderJob } from '../provider.ts'
import { runTool } from '../run-tool.ts'

/** ffmpeg demuxer for each type, from our own signature: a playlist dressed as a film is never opened as a playlist. */
const demuxers: Record<string, string> = {
  'video/mp4': 'mov',
  'video/x-m4v': 'mov',
  'video/quicktime': 'mov',
  'video/3gpp': 'mov',
  'video/3gpp2': 'mov',
  'video/webm': 'matroska',
  'video/x-matroska': 'matroska',
  'video/x-msvideo': 'avi',
  'video/x-flv': 'flv',
  'video/mpeg': 'mpeg',
  'video/mp2t': 'mpegts',
  'video/x-ms-wmv': 'asf',
  'video/x-ms-asf': 'asf',
  'video/ogg': 'ogg',
  'application/mxf': 'mxf',
  'image/heic-sequence': 'mov',
  'image/heif-sequence': 'mov',
}

/** One frame a little into the film. */
export const videoPoster: Decode = async (job) => {
  const demuxer =
    job.identified.mimeType === 'video/mpeg' ? await mpegDemuxer(job.path) : demuxers[job.identified.mimeType]
  if (!demuxer) throw new Error(`no ffmpeg demuxer is allowed for ${job.identified.mimeType}`)
  const durationMs = job.measures.durationMs ?? 0
  const seekSeconds = Math.min(10, durationMs / 10_000)
  const frame = (await grab(job, demuxer, seekSeconds)) ?? (seekSeconds > 0 ? await grab(job, demuxer, 0) : undefined)
  if (!frame?.png) throw new Error(frame?.because ?? 'no frame could be decoded')
  const header = await sharp(frame.png).metadata()
  const stated = frame.size
  const turned =
    stated && stated.width > stated.height !== header.width > header.height && stated.width !== stated.height
  return {
    picture: sharp(frame.png),
    measures: stated
      ? {
          width: turned ? stated.height : stated.width,
          height: turned ? stated.width : stated.height,
          ...(frame.durationMs ? { durationMs: frame.durationMs } : {}),
        }
      : { width: header.width, height: header.height },
  }
}

/** A bare video stream has no container. */
async function mpegDemuxer(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.readUInt32BE(0) === 0x1b3 ? 'mpegvideo' : 'mpeg'
  } finally {
    await file.close()
  }
}

type Frame = { png?: Buffer; size?: { width: number; height: number }; durationMs?: number; because: string }

async function grab(job: RenderJob, demuxer: string, seekSeconds: number): Promise<Frame | undefined> {
  const run = await runTool(
    job.tools,
    [
      job.tools.ffmpeg!,
      '-hide_banner',
      '-nostdin',
      '-threads',
      '1',
      '-protocol_whitelist',
      'file,pipe',
      '-format_whitelist',
      demuxer,
      '-f',
      demuxer,
      ...(seekSeconds > 0 ? ['-ss', seekSeconds.toFixed(2)] : []),
      '-i',
      `file:${job.path}`,
      '-map',
      '0:v:0',
      '-frames:v',
      '1',
      '-vf',
      "scale=w='min(1440,iw*sar)':h='min(1440,ih)':force_original_aspect_ratio=decrease",
      '-an',
      '-sn',
      '-dn',
      '-c:v',
      'png',
      '-threads',
      '1',
      '-f',
      'image2pipe',
      'pipe:1',
    ],
    { folder: job.outputFolder, timeoutMs: limits.videoMs / 2, maxOutputBytes: 32 * 1024 * 1024 },
  )
  const because =
    run.stderr
      .trim()
      .split('\n')
      .filter((line) => /error|invalid|not found|could not|unknown|no such/i.test(line))
      .at(-1)
      ?.trim()
      .slice(0, 300) ?? 'no frame could be decoded'
  const duration = /Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/.exec(run.stderr)
  const size = /Stream #0:.*Video:.*?[ ,](\d{1,5})x(\d{1,5})[ ,\n[]/.exec(run.stderr)
  if (run.stdout.length === 0) return seekSeconds > 0 ? undefined : { because }
  return {
    png: run.stdout,
    because,
    ...(size ? { size: { width: Number(size[1]), height: Number(size[2]) } } : {}),
    ...(duration
      ? { durationMs: Math.round((Number(duration[1]) * 3600 + Number(duration[2]) * 60 + Number(duration[3])) * 1000) }
      : {}),
  }
}
