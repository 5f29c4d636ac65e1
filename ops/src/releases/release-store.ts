import type { Store } from '../store.ts'
import type { Release, ReleaseManifest, Verdict } from './release.ts'

/** A release and where it serves now. */
export type ListedRelease = Release & {
  /** Environments in which it answers requests; `(control)`: it still has the sessions it had. */
  activeIn: { environment: string; as: 'active' | 'control' }[]
}

type Row = {
  digest: string
  tag: string
  version: string
  commit_hash: string
  lockfile_hash: string
  schema_min: number
  schema_max: number
  manifest: string
  built_at: string
  verdict: Verdict
  verdict_because: string
  verdict_at: string | null
}

/** Writes a release into the ledger. Throws when its tag is there with another digest: a tag never means two things. */
export function insertRelease(
  store: Store,
  release: { digest: string; manifest: ReleaseManifest },
  now: Date,
): Release {
  const { digest, manifest } = release
  return store.transaction(() => {
    assertTagIsFree(store, manifest.tag, digest)
    store.run(
      `insert into release (digest, tag, version, commit_hash, lockfile_hash, schema_min, schema_max, manifest, built_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (digest) do nothing`,
      digest,
      manifest.tag,
      manifest.version,
      manifest.commit,
      manifest.lockfileHash,
      manifest.schema.min,
      manifest.schema.max,
      JSON.stringify(manifest),
      now.toISOString(),
    )
    return getRelease(store, digest)
  })
}

/** Throws when the ledger knows this tag with another content. */
export function assertTagIsFree(store: Store, tag: string, digest: string): void {
  const known = findReleaseByTag(store, tag)
  if (!known || known.digest === digest) return
  throw new Error(
    `${tag} is in the ledger with another content (${known.digest.slice(0, 12)}, commit ${known.commit.slice(0, 12)}). A released tag never changes: give the new content a new tag.`,
  )
}

export const findReleaseByTag = (store: Store, tag: string): Release | null => find(store, 'tag = ?', tag)

export const findReleaseByDigest = (store: Store, digest: string): Release | null => find(store, 'digest = ?', digest)

/** The release of this digest. Throws when the ledger has none. */
export function getRelease(store: Store, digest: string): Release {
  const release = findReleaseByDigest(store, digest)
  if (!release) throw new Error(`The ledger has no release ${digest.slice(0, 12)}. ./dam releases lists what it has.`)
  return release
}

/** By tag, or by its digest or the first 12 and more digits of it. Throws, saying what there is, when it names none. */
export function resolveRelease(store: Store, name: string): Release {
  const found = findReleaseByTag(store, name) ?? findByDigestPrefix(store, name)
  if (found) return found
  const tags = store
    .rows<{ tag: string }>('select tag from release order by built_at desc limit 5')
    .map((row) => row.tag)
  throw new Error(
    `There is no release "${name}". ${tags.length === 0 ? 'Nothing has been built yet: ./dam release build <tag>' : `The newest are ${tags.join(', ')}; ./dam releases lists all.`}`,
  )
}

/** Newest first. */
export function listReleases(store: Store): ListedRelease[] {
  const pointers = readPointers(store)
  return store.rows<Row>('select * from release order by built_at desc, rowid desc').map((row) => ({
    ...fromRow(row),
    activeIn: pointers.filter((pointer) => pointer.tag === row.tag).map(({ environment, as }) => ({ environment, as })),
  }))
}

/**
 * Writes what is known of a release now. A quarantined one is let go by nothing but `releasedBy`, the person who
 * decides so; without it every other verdict for it is refused.
 */
export function setVerdict(
  store: Store,
  options: { digest: string; verdict: Verdict; because: string; now: Date; releasedBy?: string },
): Release {
  return store.transaction(() => {
    const release = getRelease(store, options.digest)
    if (release.verdict === 'quarantined' && options.verdict !== 'quarantined' && !options.releasedBy) {
      throw new Error(
        `${release.tag} is quarantined (${release.verdictBecause}) and stays so until a person releases it.`,
      )
    }
    const because = options.releasedBy ? `${options.because} (released by ${options.releasedBy})` : options.because
    store.run(
      'update release set verdict = ?, verdict_because = ?, verdict_at = ? where digest = ?',
      options.verdict,
      because,
      options.now.toISOString(),
      options.digest,
    )
    return getRelease(store, options.digest)
  })
}

/**
 * What an environment ran before and can go back to: the newest other release that ended a deployment there as good
 * and is not bad or quarantined by now. Null when there is none.
 */
export function previousGoodRelease(store: Store, environment: string, digest: string): Release | null {
  const row = store.row<Row>(
    `select release.* from deployment join release on release.digest = deployment.digest
     where deployment.environment = ? and deployment.digest <> ? and deployment.state in ('good', 'verified')
       and release.verdict not in ('bad', 'quarantined')
     order by deployment.id desc limit 1`,
    environment,
    digest,
  )
  return row ? fromRow(row) : null
}

function find(store: Store, where: string, value: string): Release | null {
  const row = store.row<Row>(`select * from release where ${where}`, value)
  return row ? fromRow(row) : null
}

function findByDigestPrefix(store: Store, prefix: string): Release | null {
  if (!/^[0-9a-f]{12,64}$/.test(prefix)) return null
  const rows = store.rows<Row>('select * from release where digest >= ? and digest < ?', prefix, `${prefix}g`)
  return rows.length === 1 && rows[0] ? fromRow(rows[0]) : null
}

type Side = { tag?: string } | null

function readPointers(store: Store): { environment: string; tag: string; as: 'active' | 'control' }[] {
  return store
    .rows<{ environment: string; pointer: string }>('select environment, pointer from pointer')
    .flatMap((row) => {
      const pointer = JSON.parse(row.pointer) as { active: Side; control: { upstream: Side } | null }
      const sides = [
        { tag: pointer.active?.tag, as: 'active' as const },
        { tag: pointer.control?.upstream?.tag, as: 'control' as const },
      ]
      return sides.flatMap(({ tag, as }) => (tag ? [{ environment: row.environment, tag, as }] : []))
    })
}

const fromRow = (row: Row): Release => ({
  digest: row.digest,
  tag: row.tag,
  version: row.version,
  commit: row.commit_hash,
  lockfileHash: row.lockfile_hash,
  schema: { min: row.schema_min, max: row.schema_max },
  manifest: JSON.parse(row.manifest) as ReleaseManifest,
  builtAt: row.built_at,
  verdict: row.verdict,
  verdictBecause: row.verdict_because,
  verdictAt: row.verdict_at,
})
