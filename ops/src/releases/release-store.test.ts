import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore, type Store } from '../store.ts'
import {
  findReleaseByTag,
  insertRelease,
  listReleases,
  previousGoodRelease,
  resolveRelease,
  setVerdict,
} from './release-store.ts'
import type { ReleaseManifest } from './release.ts'

let folder: string
let store: Store

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-release-store-'))
  store = openStore(folder)
})

afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

const digestOf = (letter: string) => letter.repeat(64)

const manifestOf = (tag: string): ReleaseManifest => ({
  format: 1,
  tag,
  version: tag.slice(1),
  commit: 'c'.repeat(40),
  committedAt: '2026-01-01T00:00:00.000Z',
  nodeVersion: 'v24.0.0',
  lockfileHash: '1',
  toolchainHash: '2',
  configHash: '3',
  sbomHash: '4',
  schema: { min: 1, max: 1 },
  migrations: [],
  files: {},
})

const insert = (tag: string, letter: string, minute: number) =>
  insertRelease(
    store,
    { digest: digestOf(letter), manifest: manifestOf(tag) },
    new Date(Date.UTC(2026, 0, 1, 0, minute)),
  )

const deployed = (letter: string, state: string) =>
  store.insert(
    `insert into deployment (kind, environment, digest, state, requested_by, requested_at, updated_at, ended_at)
     values ('deploy', 'production', ?, ?, 'eve', '', '', '')`,
    digestOf(letter),
    state,
  )

test('a release is found by tag, by digest and by the beginning of its digest', () => {
  insert('v1.0.0', 'a', 0)
  expect(findReleaseByTag(store, 'v1.0.0')?.digest).toBe(digestOf('a'))
  expect(resolveRelease(store, digestOf('a')).tag).toBe('v1.0.0')
  expect(resolveRelease(store, 'a'.repeat(12)).tag).toBe('v1.0.0')
  expect(() => resolveRelease(store, 'v2.0.0')).toThrow('There is no release "v2.0.0". The newest are v1.0.0')
})

test('inserting the same release again changes nothing, and the tag never gets another content', () => {
  insert('v1.0.0', 'a', 0)
  setVerdict(store, { digest: digestOf('a'), verdict: 'good', because: 'baked', now: new Date() })
  expect(insert('v1.0.0', 'a', 5)).toMatchObject({ verdict: 'good', builtAt: '2026-01-01T00:00:00.000Z' })
  expect(() => insert('v1.0.0', 'b', 6)).toThrow('v1.0.0 is in the ledger with another content (aaaaaaaaaaaa')
})

test('the list begins with the newest and says where each serves', () => {
  insert('v1.0.0', 'a', 0)
  insert('v1.1.0', 'b', 1)
  store.run(
    'insert into pointer (environment, pointer, fencing_token, at) values (?, ?, 1, ?)',
    'production',
    JSON.stringify({
      active: { slot: 'production-2', tag: 'v1.1.0', port: 1 },
      control: { upstream: { slot: 'production-1', tag: 'v1.0.0', port: 2 }, sharePercent: 5 },
    }),
    '',
  )
  expect(listReleases(store).map(({ tag, activeIn }) => ({ tag, activeIn }))).toEqual([
    { tag: 'v1.1.0', activeIn: [{ environment: 'production', as: 'active' }] },
    { tag: 'v1.0.0', activeIn: [{ environment: 'production', as: 'control' }] },
  ])
})

test('a quarantined release gets no other verdict unless a person lets it go, which is written down', () => {
  insert('v1.0.0', 'a', 0)
  const now = new Date()
  setVerdict(store, { digest: digestOf('a'), verdict: 'quarantined', because: 'errors', now })
  expect(() => setVerdict(store, { digest: digestOf('a'), verdict: 'good', because: 'baked', now })).toThrow(
    'v1.0.0 is quarantined (errors)',
  )
  const released = {
    digest: digestOf('a'),
    verdict: 'unknown',
    because: 'the disk was full',
    now,
    releasedBy: 'eve',
  } as const
  expect(setVerdict(store, released)).toMatchObject({
    verdict: 'unknown',
    verdictBecause: 'the disk was full (released by eve)',
  })
})

test('the release to go back to is the newest other one that ended well there and is not bad since', () => {
  insert('v1.0.0', 'a', 0)
  insert('v1.1.0', 'b', 1)
  insert('v1.2.0', 'c', 2)
  expect(previousGoodRelease(store, 'production', digestOf('c'))).toBeNull()
  deployed('a', 'good')
  deployed('b', 'good')
  deployed('c', 'rolled-back')
  expect(previousGoodRelease(store, 'production', digestOf('c'))?.tag).toBe('v1.1.0')
  expect(previousGoodRelease(store, 'staging', digestOf('c'))).toBeNull()
  setVerdict(store, { digest: digestOf('b'), verdict: 'bad', because: 'found later', now: new Date() })
  expect(previousGoodRelease(store, 'production', digestOf('c'))?.tag).toBe('v1.0.0')
})
