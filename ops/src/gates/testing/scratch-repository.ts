import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A git repository of its own. `commit` makes an empty commit and gives its hash. */
export function scratchRepository(): Disposable & {
  dir: string
  commit(message: string, author?: string): string
} {
  const dir = mkdtempSync(path.join(tmpdir(), 'dam-repository-'))
  const git = (args: readonly string[], author = 'Ada <ada@example.test>'): string => {
    const [, name = '', email = ''] = /^(.*) <(.*)>$/.exec(author) ?? []
    return execFileSync('git', ['-C', dir, '-c', 'commit.gpgsign=false', ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: dir,
        GIT_AUTHOR_NAME: name,
        GIT_AUTHOR_EMAIL: email,
        GIT_COMMITTER_NAME: name,
        GIT_COMMITTER_EMAIL: email,
      },
    }).trim()
  }
  git(['init', '-q', '-b', 'main'])
  return {
    dir,
    commit: (message, author) => {
      git(['commit', '-q', '--allow-empty', '-m', message], author)
      return git(['rev-parse', 'HEAD'])
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}
