import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeExclusiveLock } from '@dam/platform/exclusive-lock'
import { scratchStore } from '../testing/scratch-store.ts'
import { releaseFolderName } from './install-release.ts'
import { pruneReleases } from './prune-releases.ts'
import { insertRelease, setVerdict } from './release-store.ts'
import type { ReleaseManifest } from './release.ts'
import { artifactFolder } from './verify-release.ts'

let store: ReturnType<typeof scratchStore>
let hostDir: string
const digestOf = (number: number) => number.toString(16).padStart(64, '0')
const tagOf = (number: number) => `v1.${number}.0`
const folderOf = (number: number) =>
  path.join(hostDir, 'releases', releaseFolderName({ tag: tagOf(number), digest: digestOf(number) }))

/** Releases v1.1.0 to v1.9.0, each in the store and installed. */
beforeEach(() => {
  store = scratchStore()
  hostDir = path.join(store.folder, 'host')
  for (let number = 1; number <= 9; number++) {
    const manifest = {
      tag: tagOf(number),
      version: tagOf(number).slice(1),
      commit: 'c',
      lockfileHash: 'l',
      schema: { min: 1, max: 1 },
    }
    insertRelease(store, { digest: digestOf(number), manifest: manifest as ReleaseManifest }, new Date(number * 1000))
    mkdirSync(artifactFolder(hostDir, digestOf(number)), { recursive: true })
    mkdirSync(folderOf(number), { recursive: true })
  }
})

afterEach(() => store[Symbol.dispose]())

const good = (number: number) =>
  setVerdict(store, { digest: digestOf(number), verdict: 'good', because: 'baked', now: new Date() })

const deployment = (number: number, state: string, endedAt: string | null) =>
  store.insert(
    `insert into deployment (kind, environment, digest, state, requested_by, requested_at, updated_at, ended_at)
     values ('deploy', 'production', ?, ?, 'eve', '', '', ?)`,
    digestOf(number),
    state,
    endedAt,
  )

const point = (active: number) =>
  store.run(
    'insert into pointer (environment, pointer, fencing_token, at) values (?, ?, 1, ?)',
    'production',
    JSON.stringify({
      environment: 'production',
      fencingToken: 1,
      active: { slot: 's', tag: tagOf(active), port: 1 },
      control: null,
      maintenance: null,
    }),
    '',
  )

const keptBy = (options: { keepGood: number; isDryRun?: boolean }) =>
  Object.fromEntries(
    pruneReleases({ hostDir, store, ...options }).map(({ tag, keeps, because }) => [tag, `${keeps}: ${because}`]),
  )

test('what runs, what a rollback would go to, what is under way and the newest stay; the rest goes', () => {
  for (const number of [1, 2, 3, 5]) {
    deployment(number, 'good', 'then')
    good(number)
  }
  deployment(4, 'rolled-back', 'then')
  deployment(6, 'migrated', null)
  point(3)
  store.insert(
    `insert into slot (id, environment, digest, tag, release_dir, port, desired_web, desired_worker, fencing_token, created_at)
     values ('staging-1', 'staging', ?, 'v1.7.0', '', 1, 'running', 'running', 1, '')`,
    digestOf(7),
  )
  expect(keptBy({ keepGood: 1 })).toEqual({
    'v1.9.0': 'everything: one of the 1 newest',
    'v1.8.0': 'nothing: never deployed, and newer ones are there',
    'v1.7.0': 'everything: a slot runs it',
    'v1.6.0': 'everything: a deployment is under way',
    'v1.5.0': 'everything: a rollback would go to it',
    'v1.4.0': 'artifact: it was deployed once',
    'v1.3.0': 'everything: active in production',
    'v1.2.0': 'artifact: it was deployed once',
    'v1.1.0': 'artifact: it was deployed once',
  })
  const installed = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((number) => existsSync(folderOf(number)))
  expect(installed).toEqual([3, 5, 6, 7, 9])
  const stored = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((number) => existsSync(artifactFolder(hostDir, digestOf(number))))
  expect(stored).toEqual([1, 2, 3, 4, 5, 6, 7, 9])
  expect(readdirSync(path.join(hostDir, 'releases')).filter((name) => name.startsWith('.removed'))).toEqual([])
})

test('a dry run removes nothing, and the last five good ones stay by default', () => {
  for (let number = 1; number <= 7; number++) good(number)
  const [, , , , , sixth, seventh, eighth, ninth] = pruneReleases({ hostDir, store, isDryRun: true })
  expect([sixth, seventh, eighth, ninth].map((pruning) => [pruning?.tag, pruning?.keeps])).toEqual([
    ['v1.4.0', 'everything'],
    ['v1.3.0', 'everything'],
    ['v1.2.0', 'nothing'],
    ['v1.1.0', 'nothing'],
  ])
  expect(existsSync(folderOf(1))).toBe(true)
})

test('a folder that is being installed at this moment stays', () => {
  const lock = takeExclusiveLock(path.join(hostDir, 'releases', `.${path.basename(folderOf(1))}.lock`), {})
  keptBy({ keepGood: 1 })
  lock.release()
  expect(existsSync(folderOf(1))).toBe(true)
  expect(existsSync(folderOf(2))).toBe(false)
})
