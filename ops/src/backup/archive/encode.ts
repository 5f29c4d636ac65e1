import { type ArchiveHeader, customFormat, magic, offsetStates, sections, type TocEntry } from './toc.ts'

/** The newest version of the format that PostgreSQL 15 reads; later ones read it too. */
export const writtenVersion = { major: 1, minor: 14 } as const

/** Integers are a byte for the sign and four for the amount, least significant first. */
export function encodeInteger(value: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt8(value < 0 ? 1 : 0, 0)
  bytes.writeUInt32LE(Math.abs(value), 1)
  return bytes
}

/** Text is its length in bytes and the bytes; -1 stands for null. */
function encodeText(text: string | null): Buffer {
  if (text === null) return encodeInteger(-1)
  const bytes = Buffer.from(text)
  return Buffer.concat([encodeInteger(bytes.length), bytes])
}

export function encodeHeader(header: Omit<ArchiveHeader, 'major' | 'minor'>, level: number): Buffer {
  const at = header.createdAt
  return Buffer.concat([
    magic,
    // Size of an integer, size of an offset.
    Buffer.from([writtenVersion.major, writtenVersion.minor, 0, 4, 8, customFormat]),
    encodeInteger(level),
    ...[at.getUTCSeconds(), at.getUTCMinutes(), at.getUTCHours()].map(encodeInteger),
    ...[at.getUTCDate(), at.getUTCMonth(), at.getUTCFullYear() - 1900, 0].map(encodeInteger),
    ...[header.database, header.serverVersion, header.dumpVersion].map(encodeText),
  ])
}

/** Takes the same room whether offsets are known or not, so it can be written again in place. */
export const encodeToc = (entries: readonly TocEntry[]): Buffer =>
  Buffer.concat([encodeInteger(entries.length), ...entries.map(encodeEntry)])

function encodeEntry(entry: TocEntry): Buffer {
  return Buffer.concat([
    encodeInteger(entry.id),
    encodeInteger(entry.hasData ? 1 : 0),
    // Catalog and object id: only used to match large objects, which there are none of.
    encodeText('0'),
    encodeText('0'),
    encodeText(entry.tag),
    encodeText(entry.kind),
    encodeInteger(sections.indexOf(entry.section) + 1),
    encodeText(entry.create),
    encodeText(entry.drop),
    encodeText(entry.copy === '' ? null : entry.copy),
    encodeText(entry.schema === '' ? null : entry.schema),
    // Table space and access method: the server's own.
    encodeText(null),
    encodeText(null),
    encodeText(entry.owner),
    encodeText('false'),
    ...entry.dependencies.map((id) => encodeText(String(id))),
    encodeText(null),
    encodeOffset(entry),
  ])
}

function encodeOffset({ hasData, offset }: TocEntry): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt8(!hasData ? offsetStates.noData : offset === null ? offsetStates.notSet : offsetStates.set, 0)
  bytes.writeBigUInt64LE(BigInt(offset ?? 0), 1)
  return bytes
}
