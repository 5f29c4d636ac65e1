import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readRelease, releaseName } from './release.ts'

const inFolder = async (text: string | null, look: (folder: string) => void): Promise<void> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'dam-release-'))
  try {
    if (text !== null) await writeFile(path.join(folder, 'release.json'), text)
    look(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('an installed release says its tag, version and commit', () =>
  inFolder(
    JSON.stringify({ format: 1, tag: 'v1.2.3-rc.1', version: '1.2.3-rc.1', commit: 'a'.repeat(40), files: {} }),
    (folder) =>
      expect(readRelease(folder, '9.9.9')).toEqual({ tag: 'v1.2.3-rc.1', version: '1.2.3-rc.1', commit: 'aaaaaaa' }),
  ))

test('a checkout has the version of its package and no tag', () =>
  inFolder(null, (folder) => {
    const release = readRelease(folder, '1.0.0')
    expect(release).toEqual({ tag: null, version: '1.0.0', commit: 'unknown' })
    expect(releaseName(release)).toBe('dev')
  }))

test.each([
  ['no JSON', '{'],
  ['no tag', '{"version":"1.0.0","commit":"abcdef0"}'],
  ['a tag that is a header of its own', JSON.stringify({ tag: 'v1\r\nx: y', version: '1.0.0', commit: 'abcdef0' })],
])('a release.json with %s is refused with a way out', (_, text) =>
  inFolder(text, (folder) => {
    expect(() => readRelease(folder, '1.0.0')).toThrow(/Install the release again/)
  }),
)
