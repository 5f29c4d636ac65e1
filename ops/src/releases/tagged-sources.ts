import { type ArchivedFile, unpackTar } from './archive.ts'
import { versionOfTag } from './release.ts'
import { runTool, ToolFailure } from './run-tool.ts'

export type TaggedCommit = { tag: string; version: string; commit: string; committedAt: Date }

/** Refuses what is no release tag, before it reaches git, a path or a message of another program. */
export function assertReleaseTag(tag: string): string {
  const version = versionOfTag(tag)
  if (version !== null) return version
  throw new Error(`${JSON.stringify(tag)} is not a release tag. Release tags are v1.2.3 or v1.2.3-rc.1.`)
}

/** The commit of a release tag of this checkout. Throws, saying how to make one, when it has no such tag. */
export async function readTag(checkout: string, tag: string, signal?: AbortSignal): Promise<TaggedCommit> {
  const version = assertReleaseTag(tag)
  let commit: string
  try {
    const found = await git(
      checkout,
      ['rev-parse', '--verify', '--quiet', '--end-of-options', `refs/tags/${tag}^{commit}`],
      signal,
    )
    commit = found.toString().trim()
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    if (error.output.trim() !== '') throw error
    throw new Error(
      `There is no tag ${tag} in this checkout. Make it at the commit to release: git tag -a ${tag} -m "Release ${tag}"   (or fetch it: git fetch --tags)`,
      { cause: error },
    )
  }
  const seconds = Number((await git(checkout, ['show', '-s', '--format=%ct', commit], signal)).toString().trim())
  return { tag, version, commit, committedAt: new Date(seconds * 1000) }
}

/** Every file of a commit as git has it; nothing of the working tree, no conversion of line ends. */
export async function readSources(
  checkout: string,
  commit: string,
  signal?: AbortSignal,
): Promise<Map<string, ArchivedFile>> {
  const tar = await git(
    checkout,
    ['-c', 'core.autocrlf=false', '-c', 'core.eol=lf', 'archive', '--format=tar', commit],
    signal,
  )
  return unpackTar(tar, 'passedOver')
}

const git = (checkout: string, args: readonly string[], signal: AbortSignal | undefined): Promise<Buffer> =>
  runTool('git', args, { cwd: checkout, signal })
