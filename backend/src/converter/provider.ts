import type { Sharp } from 'sharp'
import type { Identified, Measures, RawTags } from '../ingest/types.ts'
import type { ExifTool } from './exiftool.ts'
import type { Tools } from './tools.ts'

export type RenderJob = {
  path: string
  identified: Identified
  measures: Measures
  raw: RawTags
  /** Folder for scratch and output files; removed by the caller. */
  outputFolder: string
  tools: Tools
  exiftool: ExifTool | undefined
}

/** A picture that sharp can read on, with what the decoder learnt on the way. */
export type Decoded = {
  /** Upright, or with the orientation sharp applies by itself. */
  picture: Sharp
  measures: Measures
  /** The same picture read without a care for damage, for when `picture` turns out to be cut or broken. */
  fallback?: () => Sharp
  /** What is wrong with it, or why it is not the best picture there could be. */
  damage?: string
}

/** One way to get a picture out of a file. Throws `Refusal` to stop, anything else to let the next method try. */
export type Decode = (job: RenderJob) => Promise<Decoded>
