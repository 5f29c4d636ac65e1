import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { expect, test } from 'vitest'
import { packArchive, unpackArchive } from './archive.ts'

const tarOf = async (...entries: Partial<Header>[]): Promise<Buffer> => {
  const tar = pack()
  const bytes = buffer(tar)
  for (const entry of entries)
    tar.entry({ name: 'file', ...entry }, entry.type && entry.type !== 'file' ? '' : 'content')
  tar.finalize()
  return gzipSync(await bytes)
}

test('the order in which files come changes no byte of the archive, and they come out as they went in', async () => {
  const one = { content: Buffer.from('one'), isExecutable: false }
  const two = { content: Buffer.from('two'), isExecutable: true }
  const long = `${'long/'.repeat(40)}name`
  const at = new Date('2026-01-01T00:00:00Z')
  const archive = await packArchive(
    new Map([
      ['a', one],
      ['b/c', two],
      [long, one],
    ]),
    at,
  )
  expect(
    await packArchive(
      new Map([
        [long, one],
        ['b/c', two],
        ['a', one],
      ]),
      at,
    ),
  ).toEqual(archive)
  expect(await unpackArchive(archive)).toEqual(
    new Map([
      ['a', one],
      ['b/c', two],
      [long, one],
    ]),
  )
  expect(archive.readUInt32LE(4), 'gzip writes no time').toBe(0)
})

test.each(['../x', '/etc/passwd', 'a/../../x', 'a//b', './a', 'a\\b', 'a\nb'])(
  'an archive with the path %j is refused',
  async (name) => {
    await expect(unpackArchive(await tarOf({ name }))).rejects.toThrow('is not a path inside a release')
  },
)

test.each(['symlink', 'link', 'directory', 'character-device', 'fifo'] as const)(
  'an archive with a %s is refused',
  async (type) => {
    await expect(unpackArchive(await tarOf({ type, linkname: '/etc/passwd' }))).rejects.toThrow(
      'holds plain files only',
    )
  },
)

test('an archive with a path twice is refused', async () => {
  await expect(unpackArchive(await tarOf({ name: 'a' }, { name: 'a' }))).rejects.toThrow('twice')
})
