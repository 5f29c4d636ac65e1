/** What one file may cost. Values are per file unless the name says otherwise. */
export const limits = {
  /** Pixels a decoder that cannot shrink while it reads may have to hold. */
  decodedPixels: 100_000_000,
  /** Pixels of a baseline JPEG, which is decoded at 1/8 scale. */
  shrinkablePixels: 400_000_000,
  side: 65_535,
  documentBytes: 512 * 1024 * 1024,
  imageBytes: 1024 * 1024 * 1024,
  svgBytes: 32 * 1024 * 1024,
  embeddedPictureBytes: 64 * 1024 * 1024,
  toolOutputBytes: 128 * 1024 * 1024,
  identifyMs: 10_000,
  metadataMs: 20_000,
  imageMs: 30_000,
  videoMs: 60_000,
  /** Resident memory of a converter with everything it started. */
  treeBytes: 700 * 1024 * 1024,
  /** A converter that keeps more than this between files is replaced: WebAssembly never gives memory back. */
  wornBytes: 320 * 1024 * 1024,
  /** Files after which a converter is replaced. */
  filesPerProcess: 1_000,
} as const
