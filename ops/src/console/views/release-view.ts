import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import type { ReleaseDetail, ReleaseView } from '@dam/contract/ops-types'
import { hostFolders } from '../../environments/environment.ts'
import type { Pointer } from '../../front/front-api.ts'
import type { ReleaseManifest } from '../../releases/release.ts'
import { verifyStoredRelease } from '../../releases/verify-release.ts'
import type { Store } from '../../store.ts'
import { deploymentsOf } from './deployment-view.ts'

type Row = {
  digest: string
  tag: string
  version: string
  commit: string
  schemaMin: number
  schemaMax: number
  manifest: string
  builtAt: string
  verdict: ReleaseView['verdict']
  verdictBecause: string
  verdictAt: string | null
}

const columns = `digest, tag, version, commit_hash as "commit", schema_min as "schemaMin", schema_max as "schemaMax", manifest,
  built_at as "builtAt", verdict, verdict_because as "verdictBecause", verdict_at as "verdictAt"`

/** Environments by the tag their pointer leads to. */
export function activeTags(store: Store): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const row of store.rows<{ environment: string; pointer: string }>(
    'select environment, pointer from pointer order by environment',
  )) {
    const { active } = JSON.parse(row.pointer) as Pointer
    if (active) found.set(active.tag, [...(found.get(active.tag) ?? []), row.environment])
  }
  return found
}

function present(row: Row, active: Map<string, string[]>): ReleaseView {
  const manifest = JSON.parse(row.manifest) as Partial<ReleaseManifest>
  return {
    digest: row.digest,
    tag: row.tag,
    version: row.version,
    commit: row.commit,
    committedAt: manifest.committedAt ?? row.builtAt,
    builtAt: row.builtAt,
    schema: { min: row.schemaMin, max: row.schemaMax },
    verdict: row.verdict,
    verdictBecause: row.verdictBecause,
    verdictAt: row.verdictAt,
    activeIn: active.get(row.tag) ?? [],
  }
}

/** Newest first. */
export function listReleases(store: Store): ReleaseView[] {
  const active = activeTags(store)
  return store
    .rows<Row>(`select ${columns} from release order by built_at desc, tag desc limit 500`)
    .map((row) => present(row, active))
}

/** A release with what it brings; undefined when the ledger has none of this digest. */
export async function describeRelease(
  store: Store,
  digest: string,
  places: { hostDir: string | undefined; checkout: string },
): Promise<ReleaseDetail | undefined> {
  const row = store.row<Row>(`select ${columns} from release where digest = ?`, digest)
  if (!row) return undefined
  const manifest = JSON.parse(row.manifest) as ReleaseManifest
  const before = store.row<Row>(
    `select ${columns} from release where built_at < ? and digest <> ? order by built_at desc limit 1`,
    row.builtAt,
    digest,
  )
  const known = new Set(
    before ? (JSON.parse(before.manifest) as ReleaseManifest).migrations.map((migration) => migration.checksum) : [],
  )
  return {
    ...present(row, activeTags(store)),
    lockfileHash: manifest.lockfileHash,
    toolchainHash: manifest.toolchainHash,
    configHash: manifest.configHash,
    sbomHash: manifest.sbomHash,
    nodeVersion: manifest.nodeVersion,
    fileCount: Object.keys(manifest.files).length,
    migrations: manifest.migrations.map(({ checksum, ...migration }) => ({
      ...migration,
      isNew: !known.has(checksum),
    })),
    previousTag: before?.tag ?? null,
    commits: before ? await commitsBetween(places.checkout, before.commit, row.commit) : null,
    artifact: await artifactOf(row, places.hostDir),
    sbom: sbomOf(row.digest, places.hostDir),
    deployments: deploymentsOf(store, digest),
  }
}

const run = promisify(execFile)

async function commitsBetween(checkout: string, from: string, to: string): Promise<ReleaseDetail['commits']> {
  if (![from, to].every((hash) => /^[0-9a-f]{7,64}$/.test(hash))) return null
  try {
    const { stdout } = await run('git', ['-C', checkout, 'log', '--format=%h%x09%s', '-n', '200', `${from}..${to}`], {
      timeout: 5_000,
      maxBuffer: 1024 * 1024,
    })
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const [hash = '', ...subject] = line.split('\t')
        return { hash, subject: subject.join('\t') }
      })
  } catch {
    return null
  }
}

async function artifactOf(row: Row, hostDir: string | undefined): Promise<ReleaseDetail['artifact']> {
  if (hostDir === undefined) {
    const signature = { state: 'missing' as const, keyId: null, because: '' }
    return { present: false, sizeBytes: null, signature, installed: false }
  }
  const { artifacts, releases } = hostFolders(hostDir)
  const folder = path.join(artifacts, row.digest)
  const stat = statSync(path.join(folder, 'artifact.tar.gz'), { throwIfNoEntry: false })
  return {
    present: stat !== undefined,
    sizeBytes: stat?.size ?? null,
    signature: await signatureOf(row.digest, hostDir),
    installed: existsSync(path.join(releases, `${row.tag}-${row.digest.slice(0, 12)}`)),
  }
}

/** Signature, digest and every file of the artifact, looked at now. */
async function signatureOf(digest: string, hostDir: string): Promise<ReleaseDetail['artifact']['signature']> {
  if (!existsSync(path.join(hostFolders(hostDir).artifacts, digest, 'release.sig')))
    return { state: 'missing', keyId: null, because: '' }
  try {
    const { signedBy } = await verifyStoredRelease(hostDir, digest)
    return { state: 'verified', keyId: signedBy.id, because: '' }
  } catch (error) {
    return { state: 'refused', keyId: null, because: error instanceof Error ? error.message : String(error) }
  }
}

type Sbom = { components?: { licenses?: { license?: { id?: string; name?: string }; expression?: string }[] }[] }

/** Counts of a CycloneDX list of packages. */
function sbomOf(digest: string, hostDir: string | undefined): ReleaseDetail['sbom'] {
  if (hostDir === undefined) return null
  const file = path.join(hostFolders(hostDir).artifacts, digest, 'sbom.json')
  if (!existsSync(file)) return null
  const { components = [] } = JSON.parse(readFileSync(file, 'utf8')) as Sbom
  const byLicence = new Map<string, number>()
  for (const component of components) {
    const [first] = component.licenses ?? []
    const name = first?.license?.id ?? first?.license?.name ?? first?.expression ?? ''
    byLicence.set(name, (byLicence.get(name) ?? 0) + 1)
  }
  const licences = [...byLicence].map(([name, count]) => ({ name, count })).toSorted((a, b) => b.count - a.count)
  return { packages: components.length, licences }
}
