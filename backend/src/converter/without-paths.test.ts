import { expect, test } from 'vitest'
import { withoutPaths } from './without-paths.ts'

test('reasons shown to users hold no paths of the server', () => {
  const file = '/srv/dam/data/blobs/8b/6e/8b6e'
  expect(withoutPaths(`file:${file}: Invalid data found when processing input`, file)).toBe(
    'the file: Invalid data found when processing input',
  )
  expect(withoutPaths(`/usr/bin/vipsthumbnail: unable to thumbnail ${file}`, file)).toBe(
    'vipsthumbnail: unable to thumbnail the file',
  )
  expect(withoutPaths('cannot write /srv/dam/data/scratch/job-1/out.png', file)).toBe('cannot write out.png')
  expect(withoutPaths('Not a JPEG/PNG file (error/png.c/1)', file)).toBe('Not a JPEG/PNG file (error/png.c/1)')
})
