import { hash } from 'node:crypto'

export type RowDigest = {
  rows: number
  /** As text of COPY. */
  bytes: number
  /** Of the set of rows: the same rows in any order give the same 32 hex digits. */
  digest: string
}

/** Counts and sums the rows of a COPY in text form: each row's SHA-256 is added up, so the order in which they lie on the disk does not matter. */
export function createRowDigest(): { take(chunk: Buffer): void; result(): RowDigest } {
  const sums = new Uint32Array(4)
  let rows = 0
  let bytes = 0
  let rest: Buffer[] = []
  const add = (row: Buffer): void => {
    const sum = hash('sha256', row, 'buffer')
    for (let lane = 0; lane < 4; lane++) sums[lane] = ((sums[lane] ?? 0) + sum.readUInt32LE(lane * 4)) >>> 0
    rows++
  }
  return {
    take: (chunk) => {
      bytes += chunk.length
      let from = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        const row = chunk.subarray(from, end)
        add(rest.length === 0 ? row : Buffer.concat([...rest, row]))
        rest = []
        from = end + 1
      }
      if (from < chunk.length) rest.push(Buffer.from(chunk.subarray(from)))
    },
    result: () => ({ rows, bytes, digest: [...sums].map((sum) => sum.toString(16).padStart(8, '0')).join('') }),
  }
}
