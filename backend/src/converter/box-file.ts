import { open } from 'node:fs/promises'

/** True when the last box of an ISO media file (HEIC, AVIF, MP4, JPEG XL, JPEG 2000) promises more bytes than the file has. */
export async function isCutBoxFile(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const header = Buffer.alloc(16)
    for (let at = 0, boxes = 0; at < size && boxes < 10_000; boxes++) {
      const { bytesRead } = await file.read(header, 0, 16, at)
      if (bytesRead < 8) return true
      const short = header.readUInt32BE(0)
      const length =
        short === 1 && bytesRead === 16 ? Number(header.readBigUInt64BE(8)) : short === 0 ? size - at : short
      if (length < 8) return false
      if (at + length > size) return true
      at += length
    }
    return false
  } finally {
    await file.close()
  }
}
