import { open } from 'node:fs/promises'

/** Transfer functions (ITU-T H.273) whose values mean light far above paper white. */
export type Hdr = { transfer: 'pq' | 'hlg'; primaries: 'bt2020' | 'p3' | 'bt709' }

const headBytes = 64 * 1024

/** The first `nclx` colour box of a HEIC or AVIF file, where it says that the picture is HDR. */
export async function readHdr(path: string): Promise<Hdr | undefined> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    const at = buffer.subarray(0, bytesRead).indexOf('colrnclx', 0, 'latin1')
    if (at < 0 || at + 12 > bytesRead) return undefined
    const primaries = buffer.readUInt16BE(at + 8)
    const transfer = buffer.readUInt16BE(at + 10)
    if (transfer !== 16 && transfer !== 18) return undefined
    return {
      transfer: transfer === 16 ? 'pq' : 'hlg',
      primaries: primaries === 9 ? 'bt2020' : primaries === 12 || primaries === 11 ? 'p3' : 'bt709',
    }
  } finally {
    await file.close()
  }
}

/** Linear light of those primaries -> BT.709. */
const matrices: Record<Hdr['primaries'], readonly number[]> = {
  bt2020: [1.6605, -0.5876, -0.0728, -0.1246, 1.1329, -0.0083, -0.0182, -0.1006, 1.1187],
  p3: [1.2249, -0.2247, 0, -0.042, 1.0419, 0, -0.0197, -0.0786, 1.0979],
  bt709: [1, 0, 0, 0, 1, 0, 0, 0, 1],
}

/** Nits of paper white (ITU-R BT.2408). */
const paperWhite = 203

/**
 * 16-bit HDR pixels -> 8-bit sRGB. Up to three quarters of paper white nothing changes; what is brighter is rolled off smoothly.
 * `channels` 3 or 4; a fourth is alpha and is only shortened.
 */
export function toneMap(pixels: Uint16Array, channels: 3 | 4, { transfer, primaries }: Hdr): Buffer {
  const light = lightTable(transfer)
  const encode = encodeTable()
  const m = matrices[primaries]
  const out = Buffer.allocUnsafe(pixels.length)
  for (let i = 0; i < pixels.length; i += channels) {
    const r = light[pixels[i]!]!
    const g = light[pixels[i + 1]!]!
    const b = light[pixels[i + 2]!]!
    out[i] = encode[step(m[0]! * r + m[1]! * g + m[2]! * b)]!
    out[i + 1] = encode[step(m[3]! * r + m[4]! * g + m[5]! * b)]!
    out[i + 2] = encode[step(m[6]! * r + m[7]! * g + m[8]! * b)]!
    if (channels === 4) out[i + 3] = pixels[i + 3]! >> 8
  }
  return out
}

const knee = 0.75
/** Linear light relative to paper white -> index of the table of sRGB values. */
function step(value: number): number {
  if (value <= 0) return 0
  const shown = value <= knee ? value : knee + (1 - knee) * (1 - Math.exp((knee - value) / (1 - knee) / 2))
  return Math.min(4095, Math.round(shown * 4095))
}

function encodeTable(): Uint8Array {
  return Uint8Array.from({ length: 4096 }, (_, index) => {
    const value = index / 4095
    return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055))
  })
}

function lightTable(transfer: Hdr['transfer']): Float32Array {
  const decode = transfer === 'pq' ? pq : hlg
  return Float32Array.from({ length: 65_536 }, (_, index) => decode(index / 65_535) / paperWhite)
}

/** Nits of a PQ value (SMPTE ST 2084). */
function pq(value: number): number {
  const power = value ** (1 / 78.84375)
  return 10_000 * (Math.max(0, power - 0.8359375) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
}

/** Nits of an HLG value on a screen of 1000 nits (ITU-R BT.2100). */
function hlg(value: number): number {
  const scene = value <= 0.5 ? (value * value) / 3 : (Math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
  return 1000 * scene ** 1.2
}
