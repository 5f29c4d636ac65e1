import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Release } from '../../releases/release.ts'
import { openStore, type Store } from '../../store.ts'
import type { GateDeps } from '../gate-deps.ts'
import { defaultGatePolicy } from '../gate-policy.ts'

export const scratchRelease = (over: Partial<Release> = {}): Release => {
  const tag = over.tag ?? 'v1.1.0'
  const commit = over.commit ?? 'c'.repeat(40)
  const version = tag.slice(1)
  return {
    digest: 'd'.repeat(64),
    tag,
    version,
    commit,
    lockfileHash: '',
    schema: { min: 1, max: 2 },
    manifest: {
      format: 1,
      tag,
      version,
      commit,
      committedAt: '2027-01-01T00:00:00.000Z',
      nodeVersion: 'v24.0.0',
      lockfileHash: '',
      toolchainHash: '',
      configHash: '',
      sbomHash: '',
      schema: { min: 1, max: 2 },
      migrations: [],
      files: {},
    },
    builtAt: '2027-01-01T00:00:00.000Z',
    verdict: 'unknown',
    verdictBecause: '',
    verdictAt: null,
    ...over,
  }
}

export function insertRelease(store: Store, release: Release): void {
  store.run(
    `insert into release (digest, tag, version, commit_hash, lockfile_hash, schema_min, schema_max, manifest, built_at)
     values (?, ?, ?, ?, '', 1, 2, ?, ?)`,
    release.digest,
    release.tag,
    release.version,
    release.commit,
    JSON.stringify(release.manifest),
    release.builtAt,
  )
}

/** A store in a folder of its own that knows one release, and sources that know nothing until a test says otherwise. */
export function scratchGates(over: Partial<Omit<GateDeps, 'store'>> = {}): Disposable & {
  deps: GateDeps
  store: Store
  release: Release
} {
  const folder = mkdtempSync(path.join(tmpdir(), 'dam-gates-'))
  const store = openStore(folder)
  const release = scratchRelease()
  insertRelease(store, release)
  const deps: GateDeps = {
    store,
    policy: defaultGatePolicy,
    review: () => Promise.resolve({ verdict: 'unknown', evidence: { summary: 'nobody was asked' }, by: '' }),
    latestBackup: () => ({ state: 'unknown', because: 'nobody was asked' }),
    planRollback: () => ({ state: 'unknown', because: 'nobody was asked' }),
    ...over,
  }
  return {
    deps,
    store,
    release,
    [Symbol.dispose]: () => {
      store.close()
      rmSync(folder, { recursive: true })
    },
  }
}
