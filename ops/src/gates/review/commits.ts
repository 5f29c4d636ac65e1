import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export type Person = { name: string; email: string }

export type Commit = {
  /** Full hash. */
  hash: string
  subject: string
  /** Author and co-authors. */
  authors: Person[]
  /** From `Reviewed-by:` trailers. */
  reviewers: Person[]
}

const run = promisify(execFile)
const hashPattern = /^[0-9a-f]{40,64}$/
const [fieldEnd, commitEnd, valueEnd] = ['\u001f', '\u001e', '\u001d']

const format = [
  '%H',
  '%s',
  '%an <%ae>',
  '%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x1d)',
  '%(trailers:key=Reviewed-by,valueonly,unfold,separator=%x1d)',
].join('%x1f')

/** Every commit that is in `to` and not in `from` (null: from the root), oldest first. Throws when git does not know them. */
export async function readCommits(repositoryDir: string, from: string | null, to: string): Promise<Commit[]> {
  const range = from === null ? demandHash(to) : `${demandHash(from)}..${demandHash(to)}`
  const output = await git(repositoryDir, 'log', '--reverse', `--format=${format}%x1e`, range, '--')
  return output
    .split(commitEnd)
    .map((text) => text.trimStart())
    .filter((text) => text !== '')
    .map(parseCommit)
}

/** Whether `ancestor` is `commit` or lies before it. Throws when git knows only one of them. */
export async function isAncestor(repositoryDir: string, ancestor: string, commit: string): Promise<boolean> {
  try {
    await git(repositoryDir, 'merge-base', '--is-ancestor', demandHash(ancestor), demandHash(commit))
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 1) return false
    throw error
  }
}

/** The address of the remote `origin`; null when there is none. */
export async function remoteUrl(repositoryDir: string): Promise<string | null> {
  try {
    return (await git(repositoryDir, 'remote', 'get-url', 'origin')).trim()
  } catch {
    return null
  }
}

async function git(repositoryDir: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', repositoryDir, ...args], { maxBuffer: 256 * 1024 * 1024 }).catch(
    (error: unknown) => {
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
      const missing = /bad object ([0-9a-f]{40})/.exec(said)?.[1]
      if (missing === undefined) throw error
      throw new Error(`The git history here does not have commit ${missing.slice(0, 12)}: git fetch --tags`, {
        cause: error,
      })
    },
  )
  return stdout
}

function demandHash(hash: string): string {
  if (!hashPattern.test(hash)) throw new Error(`"${hash}" is not the full hash of a commit.`)
  return hash
}

function parseCommit(text: string): Commit {
  const [hash = '', subject = '', author = '', coAuthors = '', reviewers = ''] = text.split(fieldEnd)
  return { hash, subject, authors: [...people(author), ...people(coAuthors)], reviewers: people(reviewers) }
}

/** `Name <address>`; what has no address names nobody. */
const people = (text: string): Person[] =>
  text.split(valueEnd).flatMap((value) => {
    const found = /^\s*(.*?)\s*<\s*([^<>\s]+@[^<>\s]+)\s*>\s*$/.exec(value)
    return found?.[1] !== undefined && found[2] ? [{ name: found[1], email: found[2].toLowerCase() }] : []
  })
