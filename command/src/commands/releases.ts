import { parseArgs } from 'node:util'
import { hostFolders } from '@dam/ops/src/environments/environment.ts'
import { listReleases } from '@dam/ops/src/releases/release-store.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { requireHost } from '../operations.ts'
import { artifactBytes, megabytes } from '../release/artifact-bytes.ts'
import { tableText } from '../table.ts'

export const help = `
Usage: ./dam releases [--host <folder>] [--json]

Lists the releases of a prepared host, newest first: tag, commit, when it was built, the range of schema migrations it
needs, what is known of it (unknown, good, bad, quarantined) and why, where it serves now, and its size in the store.
./dam release builds, verifies and installs them.
`

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { host: { type: 'string' }, json: { type: 'boolean' } } })
  const hostDir = requireHost(values.host)
  using store = openStore(hostFolders(hostDir).ops)
  const listed = listReleases(store).map(({ manifest: _manifest, ...release }) => ({
    ...release,
    artifactBytes: artifactBytes(hostDir, release.digest),
  }))
  if (values.json) {
    console.log(JSON.stringify(listed, null, 2))
    return 0
  }
  if (listed.length === 0) {
    console.log('Nothing has been built yet. Tag a commit and build it: ./dam release build v1.0.0')
    return 0
  }
  const rows = listed.map((release) => [
    release.tag,
    release.commit.slice(0, 7),
    release.builtAt.slice(0, 16).replace('T', ' '),
    release.schema.min === release.schema.max ? release.schema.max : `${release.schema.min}-${release.schema.max}`,
    release.verdictBecause ? shortened(`${release.verdict}: ${release.verdictBecause}`) : release.verdict,
    release.activeIn
      .map(({ environment, as }) => (as === 'active' ? environment : `${environment} (control)`))
      .join(', '),
    release.artifactBytes === null ? 'not in the store' : megabytes(release.artifactBytes),
    release.digest.slice(0, 12),
  ])
  console.log(tableText(['tag', 'commit', 'built (UTC)', 'schema', 'verdict', 'serves', 'size', 'digest'], rows))
  return 0
}

/** ./dam release show has all of it. */
const shortened = (text: string): string => (text.length > 70 ? `${text.slice(0, 69)}…` : text)
