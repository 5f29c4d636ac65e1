import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { hostFolders } from '@dam/ops/src/environments/environment.ts'
import { buildRelease } from '@dam/ops/src/releases/build-release.ts'
import { exportRelease, importRelease } from '@dam/ops/src/releases/exchange-release.ts'
import { installRelease, releaseFolderName } from '@dam/ops/src/releases/install-release.ts'
import { pruneReleases } from '@dam/ops/src/releases/prune-releases.ts'
import { inspectFolder } from '@dam/ops/src/releases/release-folder.ts'
import { resolveRelease, setVerdict } from '@dam/ops/src/releases/release-store.ts'
import type { Release, Verdict } from '@dam/ops/src/releases/release.ts'
import { assertReleaseTag } from '@dam/ops/src/releases/tagged-sources.ts'
import { verifyStoredRelease } from '@dam/ops/src/releases/verify-release.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { root } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { requireHost } from '../operations.ts'
import { artifactBytes, megabytes } from '../release/artifact-bytes.ts'
import { stepPrinter } from '../release/step-printer.ts'
import { InterruptedError, listenForInterruption } from '../up/interruption.ts'

export const help = `
Usage: ./dam release build <tag>              make the release of a git tag of this checkout
       ./dam release show <release>           what is in it; --json
       ./dam release verify <release>         signature, checksums, and the folder it is installed in
       ./dam release install <release>        make the folder it runs from; prints it
       ./dam release verdict <release> good|bad|quarantined|unknown --because <reason>
       ./dam release export <release> > file  for another host
       ./dam release import <file>            from another host whose key is trusted
       ./dam release prune                    remove what nothing needs; --keep <number>, --dry-run

All take --host <folder> (DAM_HOST_DIR, default ./host). <release> is a tag or the beginning of a digest.

A release holds the sources as git has them at the tag, the built web application, a bill of materials and a manifest
with the checksum of each file; it is signed with ops/keys/release.key of the host. Building one tag twice gives the
same bytes, and a tag that was moved after its release is refused. Releases signed by others are taken when their
public key lies in ops/keys as <name>.pub. ./dam releases lists all.
`

type Flags = { json: boolean; because?: string | undefined; keep: string; 'dry-run': boolean }
type Action = { words: number; act: (hostDir: string, words: readonly string[], flags: Flags) => Promise<number> }

const actions: Record<string, Action> = {
  build: { words: 1, act: build },
  show: { words: 1, act: show },
  verify: { words: 1, act: verify },
  install: { words: 1, act: install },
  verdict: { words: 2, act: verdict },
  export: { words: 1, act: give },
  import: { words: 1, act: take },
  prune: { words: 0, act: prune },
}

const options = {
  host: { type: 'string' },
  json: { type: 'boolean', default: false },
  because: { type: 'string' },
  keep: { type: 'string', default: '5' },
  'dry-run': { type: 'boolean', default: false },
} as const

export async function run(args: string[]): Promise<number> {
  // What looks like an option where a tag belongs is answered as what it is: no tag.
  const strange = args.find((word) => /^-./.test(word) && !Object.hasOwn(options, word.replace(/^--|=.*$/g, '')))
  if (args[0] === 'build' && strange !== undefined) assertReleaseTag(strange)
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const [name = '', ...words] = positionals
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action || words.length !== action.words) throw new CommandFailure(help.trim())
  // Before anything else is asked for: what is no tag gets the same answer everywhere.
  if (name === 'build') assertReleaseTag(words[0] ?? '')
  return action.act(requireHost(values.host), words, values)
}

async function build(hostDir: string, [tag = '']: readonly string[]): Promise<number> {
  return interruptible('Nothing was left behind.', async (signal) => {
    const { say, seconds } = stepPrinter()
    const { release, isNew, sizeBytes } = await buildRelease({ hostDir, checkout: root, tag, say, signal })
    console.log(
      isNew
        ? `${release.tag} is built: ${release.digest.slice(0, 12)}, ${megabytes(sizeBytes)}, ${seconds()} s`
        : `${release.tag} was built before with the same content: ${release.digest.slice(0, 12)} (${seconds()} s)`,
    )
    return 0
  })
}

async function show(hostDir: string, [name = '']: readonly string[], flags: Flags): Promise<number> {
  const release = find(hostDir, name)
  if (flags.json) {
    console.log(JSON.stringify({ ...release, artifactBytes: artifactBytes(hostDir, release.digest) }, null, 2))
    return 0
  }
  const { manifest } = release
  const bytes = artifactBytes(hostDir, release.digest)
  const lines: [string, string][] = [
    ['tag', release.tag],
    ['digest', release.digest],
    ['commit', `${release.commit}, ${manifest.committedAt.slice(0, 19)}Z`],
    ['built', release.builtAt],
    ['verdict', release.verdictBecause ? `${release.verdict}: ${release.verdictBecause}` : release.verdict],
    ['Node.js', manifest.nodeVersion],
    ['files', String(Object.keys(manifest.files).length)],
    ['size', bytes === null ? 'not in the store' : megabytes(bytes)],
    ['schema', `needs ${release.schema.min}, brings ${release.schema.max}`],
    ...manifest.migrations.map(({ app, number, name: title, previousReleaseRuns, reason }): [string, string] => [
      '',
      `${app} ${String(number).padStart(4, '0')}-${title}: the previous release ${previousReleaseRuns ? 'runs' : 'does not run'} on it (${reason})`,
    ]),
  ]
  for (const [label, value] of lines) console.log(`${label.padEnd(9)}${value}`)
  return 0
}

async function verify(hostDir: string, [name = '']: readonly string[]): Promise<number> {
  const release = find(hostDir, name)
  const verified = await verifyStoredRelease(hostDir, release.digest)
  console.log(`${release.tag}: signed by ${verified.signedBy.name}, ${verified.files.size} files as signed`)
  let isIntact = true
  for (const packages of ['production', 'all'] as const) {
    const dir = path.join(hostFolders(hostDir).releases, releaseFolderName(release, packages))
    if (!existsSync(dir)) continue
    const differences = inspectFolder(dir, verified)
    for (const difference of differences) console.log(`${dir}: ${difference}`)
    if (differences.length === 0) {
      console.log(
        `${dir}: as signed (packages come from pnpm's store by the integrity in the lockfile and are not read again)`,
      )
    } else isIntact = false
  }
  if (!isIntact) console.log(`./dam release install ${release.tag} installs it again.`)
  return isIntact ? 0 : 1
}

async function install(hostDir: string, [name = '']: readonly string[]): Promise<number> {
  const release = find(hostDir, name)
  return interruptible('Install it again when you want it.', async (signal) => {
    const { dir } = await installRelease({ hostDir, release, say: stepPrinter().say, signal })
    console.log(dir)
    return 0
  })
}

async function verdict(hostDir: string, [name = '', word = '']: readonly string[], flags: Flags): Promise<number> {
  const release = find(hostDir, name)
  const because = flags.because?.trim()
  if (!isVerdict(word) || !because) {
    throw new CommandFailure(
      'Say good, bad, quarantined or unknown, and why: ./dam release verdict v1.0.0 bad --because "…"',
    )
  }
  using store = openStore(hostFolders(hostDir).ops)
  const said = `${because} (${userInfo().username})`
  const person = release.verdict === 'quarantined' ? { releasedBy: userInfo().username } : {}
  setVerdict(store, {
    digest: release.digest,
    verdict: word,
    because: person.releasedBy ? because : said,
    now: new Date(),
    ...person,
  })
  console.log(`${release.tag} is ${word}`)
  return 0
}

const isVerdict = (word: string): word is Verdict => ['unknown', 'good', 'bad', 'quarantined'].includes(word)

async function give(hostDir: string, [name = '']: readonly string[]): Promise<number> {
  const release = find(hostDir, name)
  if (process.stdout.isTTY) {
    throw new CommandFailure(
      `The release goes to standard output: ./dam release export ${release.tag} > ${release.tag}.release`,
    )
  }
  const bytes = await exportRelease(hostDir, release)
  await new Promise<void>((resolve, reject) => {
    process.stdout.once('error', reject)
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
  return 0
}

async function take(hostDir: string, [file = '']: readonly string[]): Promise<number> {
  if (!existsSync(file)) throw new CommandFailure(`There is no file ${file}.`)
  const { release, isNew, signedBy } = await importRelease({ hostDir, file: readFileSync(file), now: new Date() })
  console.log(
    `${release.tag} ${isNew ? 'is in the store' : 'was in the store before'}: ${release.digest.slice(0, 12)}, signed by ${signedBy}`,
  )
  return 0
}

async function prune(hostDir: string, _words: readonly string[], flags: Flags): Promise<number> {
  if (!/^[1-9]\d{0,3}$/.test(flags.keep)) throw new CommandFailure('--keep takes a number from 1 on.')
  using store = openStore(hostFolders(hostDir).ops)
  const isDryRun = flags['dry-run']
  for (const { tag, keeps, because, removed } of pruneReleases({
    hostDir,
    store,
    keepGood: Number(flags.keep),
    isDryRun,
  })) {
    const deed = keeps === 'everything' ? 'stays' : keeps === 'artifact' ? 'artifact stays' : 'goes'
    const what = removed.map((folder) => path.relative(hostDir, folder)).join(', ')
    console.log(`${tag}: ${deed}, ${because}${what && `; ${isDryRun ? 'would remove' : 'removed'} ${what}`}`)
  }
  return 0
}

function find(hostDir: string, name: string): Release {
  using store = openStore(hostFolders(hostDir).ops)
  return resolveRelease(store, name)
}

/** Ctrl-C ends the work in order and says what that means; a second one ends the process. */
async function interruptible(whenStopped: string, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const { signal } = listenForInterruption(() => process.exit(130))
  try {
    return await work(signal)
  } catch (error) {
    if (!(error instanceof InterruptedError) && !signal.aborted) throw error
    console.error(`Stopped. ${whenStopped}`)
    return 130
  }
}
