import type { AssetType, EmbeddedMetadata, Preset } from '@dam/contract'

/** What the bytes are. The file's name never decides; `mismatch` says where it disagrees. */
export type Identified = {
  mimeType: string
  /** Canonical extension of the detected type, without dot; empty when nothing is known. */
  extension: string
  type: AssetType
  /** Extension of the name, lower case, without dot. */
  claimed: string
  /** When that extension promises another type than the bytes are. */
  mismatch?: { claimed: string; actual: string }
}

/** Every tag as ExifTool (or the audio reader) states it, keyed `Group:Tag`. */
export type RawTags = Record<string, unknown>

/** Facts about the content; pixels as displayed, after orientation. Missing where unknown. */
export type Measures = {
  width?: number
  height?: number
  durationMs?: number
  pageCount?: number
  animated?: boolean
}

export type ReadMetadata = {
  /** Present when the tags show a more exact type than the signature did (DNG inside TIFF, AI inside PDF). */
  refined?: Identified
  fields: EmbeddedMetadata
  raw: RawTags
  measures: Measures
  /** Instant read from the file; the wall clock as UTC where no offset is stated. */
  capturedAt?: { iso: string; offset: string | null }
  /** What could not be read, for the timeline. */
  warnings: string[]
}

export type RenderedFile = {
  preset: Preset
  /** Path of the finished file in the output folder of the request. */
  path: string
  extension: 'jpg' | 'webp'
  mimeType: string
  width: number
  height: number
  sizeBytes: number
}

export type RenderedPreviews = {
  renditions: RenderedFile[]
  measures: Measures
  /** ThumbHash, base64. */
  placeholder: string
  /** Average colour, `#rrggbb`. */
  colour: string
  /** Which decoder made it. */
  provider: string
  /** The picture could be read only in part; says what is wrong. */
  damage?: string
}

/**
 * Why there is no result. `failed`: the file is damaged or the decoder could not cope. `refused`: a limit protects the server.
 * `unavailable`: nothing here can make it; `capability` names the tool that would.
 */
export type IngestError = {
  kind: 'failed' | 'unavailable' | 'refused'
  code: string
  /** For people: what is the matter and what to do. */
  message: string
  /** Worth another try without change of file or machine. */
  retryable: boolean
  capability?: string
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; error: IngestError }

/** What the pool of converters can do for the pipeline. Paths are absolute; nothing throws for a bad file. */
export type Converter = {
  identify(input: { path: string; filename: string }): Promise<Outcome<Identified>>
  readMetadata(input: { path: string; identified: Identified }): Promise<Outcome<ReadMetadata>>
  render(input: {
    path: string
    identified: Identified
    /** From the metadata stage; some decoders need the orientation or the duration. */
    measures: Measures
    raw: RawTags
    /** Existing empty folder that receives the files. */
    outputFolder: string
  }): Promise<Outcome<RenderedPreviews>>
}
