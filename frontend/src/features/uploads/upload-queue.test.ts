import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  advance,
  foldersOf,
  inOrderOfInterest,
  isUnderWay,
  nextToCheck,
  nextToSend,
  retryDelayMs,
  speedOf,
  summarise,
  type UploadEvent,
  type UploadItem,
  type UploadState,
} from './upload-queue.ts'

const file = new File(['0123456789'], 'a.jpg')
const item = (state: UploadState, more: Partial<UploadItem> = {}): UploadItem => ({
  id: Math.random().toString(36),
  file,
  handle: null,
  filename: 'a.jpg',
  relativePath: 'a.jpg',
  size: 10,
  collection: null,
  checksum: null,
  uploadUrl: null,
  state,
  pausedFrom: null,
  progress: 0,
  error: null,
  duplicate: null,
  assetId: null,
  attempts: 0,
  ...more,
})
const after = (start: UploadItem, ...events: UploadEvent[]): UploadItem => events.reduce(advance, start)
const duplicate = { id: 3, label: 'Cat', filename: 'cat.jpg', thumbnail_url: null }

describe('the life of an upload', () => {
  test('a new file is hashed, asked about, sent and done', () => {
    const done = after(
      item('waiting'),
      { kind: 'hash-begun' },
      { kind: 'hashed', checksum: 'c' },
      { kind: 'unknown' },
      { kind: 'send-begun' },
      { kind: 'progress', bytes: 4 },
      { kind: 'stored', assetId: 9 },
    )
    expect(done).toMatchObject({ state: 'done', progress: 10, assetId: 9, checksum: 'c' })
  })

  test('a file that is there already is not sent, unless a person says so', () => {
    const known = after(item('checking', { checksum: 'c' }), { kind: 'known', duplicate })
    expect(known).toMatchObject({ state: 'duplicate', duplicate })
    expect(isUnderWay(known)).toBe(false)
    expect(after(known, { kind: 'stored', assetId: 4 }).state).toBe('done')
  })

  test('when the server goes away the upload waits and goes on', () => {
    const away = after(item('uploading', { progress: 6 }), { kind: 'interrupted', error: 'gone' })
    expect(away).toMatchObject({ state: 'retrying', progress: 6, attempts: 1 })
    expect(after(away, { kind: 'send-begun' }, { kind: 'progress', bytes: 8 })).toMatchObject({
      state: 'uploading',
      progress: 8,
      attempts: 0,
      error: null,
    })
  })

  test('pausing while hashing hashes again; pausing while sending goes on from the server’s offset', () => {
    expect(after(item('hashing'), { kind: 'pause' }, { kind: 'resume' }).state).toBe('waiting')
    expect(after(item('uploading'), { kind: 'pause' }, { kind: 'resume' }).state).toBe('queued')
  })

  test('late answers of work that was paused change nothing', () => {
    const paused = after(item('uploading'), { kind: 'pause' })
    for (const event of [
      { kind: 'progress', bytes: 9 },
      { kind: 'stored', assetId: 1 },
      { kind: 'failed', error: 'x' },
      { kind: 'interrupted', error: 'x' },
    ] satisfies UploadEvent[])
      expect(advance(paused, event)).toBe(paused)
  })

  test('a failed upload keeps its reason and can be tried again from where it is known', () => {
    const failed = after(item('uploading', { checksum: 'c' }), { kind: 'failed', error: 'The disk is full.' })
    expect(failed).toMatchObject({ state: 'failed', error: 'The disk is full.' })
    expect(after(failed, { kind: 'retry' })).toMatchObject({ state: 'checking', error: null })
    expect(after(item('failed', { file: null }), { kind: 'retry' }).state).toBe('interrupted')
  })

  test('after a reload the same file dropped again continues', () => {
    expect(
      after(item('interrupted', { file: null, uploadUrl: '/u/1', progress: 5 }), { kind: 'file-found', file }),
    ).toMatchObject({ state: 'waiting', uploadUrl: '/u/1', file })
  })

  test('no order of events reports more than the file holds, and nothing leaves “done”', () => {
    const event = fc.oneof(
      fc.constantFrom<UploadEvent>(
        { kind: 'hash-begun' },
        { kind: 'hashed', checksum: 'c' },
        { kind: 'known', duplicate },
        { kind: 'unknown' },
        { kind: 'send-begun' },
        { kind: 'interrupted', error: 'x' },
        { kind: 'stored', assetId: 1 },
        { kind: 'failed', error: 'x' },
        { kind: 'retry' },
        { kind: 'pause' },
        { kind: 'resume' },
      ),
      fc.nat(100).map((bytes): UploadEvent => ({ kind: 'progress', bytes })),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        let current = item('waiting')
        for (const next of events) {
          const was = current.state
          current = advance(current, next)
          expect(current.progress).toBeLessThanOrEqual(current.size)
          if (was === 'done') expect(current.state).toBe('done')
        }
      }),
    )
  })
})

describe('what comes next', () => {
  test('no more files are sent at once than allowed, in order', () => {
    const queue = [
      item('uploading'),
      item('retrying'),
      item('queued', { id: 'a' }),
      item('queued', { id: 'b' }),
      item('queued', { id: 'c' }),
    ]
    expect(nextToSend(queue, 4).map((next) => next.id)).toEqual(['a', 'b'])
    expect(nextToSend(queue, 2)).toEqual([])
  })

  test('of equal files one is sent and the others wait to be found as duplicates', () => {
    const queue = [
      item('checking', { id: 'a', checksum: 'c' }),
      item('checking', { id: 'b', checksum: 'c' }),
      item('checking', { id: 'd', checksum: 'e' }),
    ]
    expect(nextToCheck(queue, 10).map((next) => next.id)).toEqual(['a', 'd'])
    expect(nextToCheck([item('uploading', { checksum: 'c' }), ...queue], 10).map((next) => next.id)).toEqual(['d'])
  })

  test('pauses between attempts grow to twenty seconds', () => {
    expect([1, 2, 3, 4, 5, 6, 20].map(retryDelayMs)).toEqual([1000, 2000, 4000, 8000, 16_000, 20_000, 20_000])
  })
})

describe('the tray', () => {
  test('progress counts what is stored and what need not travel', () => {
    expect(
      summarise([
        item('done'),
        item('duplicate'),
        item('uploading', { progress: 5 }),
        item('hashing', { progress: 9 }),
        item('failed'),
        item('paused'),
      ]),
    ).toMatchObject({ total: 6, bytes: 60, bytesDone: 35, done: 1, duplicates: 1, failed: 1, paused: 1, active: 2 })
  })

  test('what moves stands first, what is settled last', () => {
    expect(
      inOrderOfInterest([item('done'), item('waiting'), item('failed'), item('uploading')]).map((entry) => entry.state),
    ).toEqual(['uploading', 'failed', 'waiting', 'done'])
  })

  test('speed needs two seconds to be said', () => {
    expect(
      speedOf([
        [0, 0],
        [1000, 500],
      ]),
    ).toBeNull()
    expect(
      speedOf([
        [0, 0],
        [4000, 8000],
      ]),
    ).toBe(2000)
  })

  test('folders come from the path', () => {
    expect(foldersOf('Campaign/2024/a.jpg')).toEqual(['Campaign', '2024'])
    expect(foldersOf('a.jpg')).toEqual([])
  })
})
