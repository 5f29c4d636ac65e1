import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { LockHeldError, takeExclusiveLock } from '@dam/platform/exclusive-lock'
import { hostFolders } from '../environments/environment.ts'
import type { Store } from '../store.ts'
import { releaseFolderName } from './install-release.ts'
import { listReleases, previousGoodRelease } from './release-store.ts'
import type { ReleaseManifest } from './release.ts'
import { artifactFolder } from './verify-release.ts'

export type PruneOptions = {
  hostDir: string
  store: Store
  /** How many of the newest good releases, and of the newest built ones, stay ready to start. */
  keepGood?: number
  /** Says what would be removed and removes nothing. */
  isDryRun?: boolean
}

/** `everything`: artifact and installed folders stay. `artifact`: it can be installed again without a network. */
export type Pruning = { tag: string; keeps: 'everything' | 'artifact' | 'nothing'; because: string; removed: string[] }

/**
 * Removes what no environment needs to run or to go back to: installed folders first, and the artifact of releases
 * that no deployment ever used. The ledger keeps every line, and the package folder every package.
 * Decided and done while the store is locked, so no deployment begins with what is being removed.
 */
export function pruneReleases(options: PruneOptions): Pruning[] {
  const { hostDir, store, keepGood = 5, isDryRun = false } = options
  const { releases } = hostFolders(hostDir)
  const aside: string[] = []
  const prunings = store.transaction(() =>
    decide(store, keepGood).map(({ digest, tag, keeps, because }): Pruning => {
      const folders =
        keeps === 'everything' ? [] : [releaseFolderName({ tag, digest }), releaseFolderName({ tag, digest }, 'all')]
      const paths = [
        ...folders.map((name) => path.join(releases, name)),
        ...(keeps === 'nothing' ? [artifactFolder(hostDir, digest)] : []),
      ].filter((folder) => existsSync(folder))
      const removed = isDryRun ? paths : paths.filter((folder) => putAside(folder, aside))
      return { tag, keeps, because, removed }
    }),
  )
  for (const folder of aside) rmSync(folder, { recursive: true, force: true })
  if (!isDryRun) removeLeftovers(hostDir)
  return prunings
}

type Decision = { digest: string; tag: string; keeps: Pruning['keeps']; because: string }

function decide(store: Store, keepGood: number): Decision[] {
  const listed = listReleases(store)
  const newest = new Set(listed.slice(0, keepGood).map(({ digest }) => digest))
  const good = new Set(
    listed
      .filter(({ verdict }) => verdict === 'good')
      .slice(0, keepGood)
      .map(({ digest }) => digest),
  )
  const digests = (sql: string) => new Set(store.rows<{ digest: string | null }>(sql).map(({ digest }) => digest))
  const inSlots = digests('select digest from slot')
  const inOpen = digests(
    `select digest from deployment where ended_at is null
     union select previous_digest from deployment where ended_at is null`,
  )
  const everUsed = digests('select digest from deployment union select previous_digest from deployment')
  const targets = new Set(
    listed.flatMap(({ digest, activeIn }) =>
      activeIn.map(({ environment }) => previousGoodRelease(store, environment, digest)?.digest),
    ),
  )
  return listed.map((release): Decision => {
    const { digest, tag, activeIn } = release
    const everything = (because: string): Decision => ({ digest, tag, keeps: 'everything', because })
    const [active] = activeIn
    if (active) return everything(`${active.as} in ${active.environment}`)
    if (inSlots.has(digest)) return everything('a slot runs it')
    if (inOpen.has(digest)) return everything('a deployment is under way')
    if (targets.has(digest)) return everything('a rollback would go to it')
    if (good.has(digest)) return everything(`one of the ${keepGood} newest good ones`)
    if (newest.has(digest)) return everything(`one of the ${keepGood} newest`)
    if (everUsed.has(digest)) return { digest, tag, keeps: 'artifact', because: 'it was deployed once' }
    return { digest, tag, keeps: 'nothing', because: 'never deployed, and newer ones are there' }
  })
}

/** Takes a folder out of use at once; it is deleted later. False when somebody installs it at this moment. */
function putAside(folder: string, aside: string[]): boolean {
  const [parent, name] = [path.dirname(folder), path.basename(folder)]
  try {
    const lock = takeExclusiveLock(path.join(parent, `.${name}.lock`), { purpose: 'removes a release' })
    const target = path.join(parent, `.removed-${name}`)
    rmSync(target, { recursive: true, force: true })
    renameSync(folder, target)
    aside.push(target)
    lock.release()
    rmSync(path.join(parent, `.${name}.lock`), { force: true })
    return true
  } catch (error) {
    if (error instanceof LockHeldError) return false
    throw error
  }
}

/** What killed runs left more than a day ago, folders that were moved aside, and toolchains of no stored release. */
function removeLeftovers(hostDir: string): void {
  const { releases, artifacts, toolchains } = hostFolders(hostDir)
  const dayAgo = Date.now() - 86_400_000
  const isOld = (file: string) => statSync(file).mtimeMs < dayAgo
  const needed = new Set(namesIn(artifacts).flatMap((digest) => toolchainOf(path.join(artifacts, digest)) ?? []))
  for (const file of [releases, artifacts, toolchains].flatMap((folder) =>
    namesIn(folder).map((name) => path.join(folder, name)),
  )) {
    const name = path.basename(file)
    const isDraft = /^\.(removed-|draft-|build-|.*\.(draft|damaged)-)/.test(name)
    const isUnneeded = path.dirname(file) === toolchains && !name.startsWith('.') && !needed.has(name)
    if ((isDraft || isUnneeded) && isOld(file)) rmSync(file, { recursive: true, force: true })
  }
}

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : [])

function toolchainOf(folder: string): string | null {
  const file = path.join(folder, 'release.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ReleaseManifest).toolchainHash : null
}
