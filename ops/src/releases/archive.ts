import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { extract, pack } from 'tar-stream'

export type ArchivedFile = { content: Buffer; isExecutable: boolean }

/** A release is a few megabytes; what claims to be more is no release. */
const unpackedMaxBytes = 1024 ** 3

/** Files by path as a gzipped tar whose bytes depend on nothing else: sorted, one instant, one owner, two modes. */
export async function packArchive(files: ReadonlyMap<string, ArchivedFile>, at: Date): Promise<Buffer> {
  return gzipSync(await packTar(files, at), { level: 9 })
}

export async function packTar(files: ReadonlyMap<string, ArchivedFile>, at: Date): Promise<Buffer> {
  const tar = pack()
  const bytes = buffer(tar)
  for (const [name, { content, isExecutable }] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    assertPlainPath(name)
    const mode = isExecutable ? 0o755 : 0o644
    tar.entry({ name, mode, mtime: at, uid: 0, gid: 0, uname: '', gname: '', type: 'file' }, content)
  }
  tar.finalize()
  return bytes
}

export const unpackArchive = (bytes: Buffer): Promise<Map<string, ArchivedFile>> =>
  unpackTar(gunzipSync(bytes, { maxOutputLength: unpackedMaxBytes }))

/**
 * Reads a tar that holds plain files below its root and nothing else. Throws for links, devices, `..`, doubles, and for
 * folders unless they are `passedOver`, as those that git writes.
 */
export async function unpackTar(
  bytes: Buffer,
  folders: 'refused' | 'passedOver' = 'refused',
): Promise<Map<string, ArchivedFile>> {
  const files = new Map<string, ArchivedFile>()
  const tar = extract()
  tar.end(bytes)
  for await (const entry of tar) {
    const { name, type, mode } = entry.header
    if (type === 'directory' && folders === 'passedOver') {
      entry.resume()
      continue
    }
    if (type !== 'file')
      throw new Error(`The archive holds ${JSON.stringify(name)}, a ${type}: a release holds plain files only.`)
    assertPlainPath(name)
    if (files.has(name)) throw new Error(`The archive holds ${JSON.stringify(name)} twice.`)
    files.set(name, { content: await buffer(entry), isExecutable: ((mode ?? 0) & 0o100) !== 0 })
  }
  return files
}

/** Relative, `/` between its parts, no part that leads elsewhere, no control characters. */
function assertPlainPath(name: string): void {
  const isPlain =
    name.length <= 1024 &&
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    !/[\u0000-\u001f\u007f\\]/.test(name) &&
    name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  if (!isPlain) throw new Error(`The archive holds ${JSON.stringify(name)}, which is not a path inside a release.`)
}
