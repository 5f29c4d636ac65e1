import { execFileSync, spawnSync } from 'node:child_process'
import { userInfo } from 'node:os'

/**
 * How PostgreSQL, which refuses to run as root, is run:
 * `self` as we are · `mapped` in a user namespace where our user is called nobody, so that files stay ours and
 * closed folders above them do not matter · `dropped` as the user nobody, to whom the data is given.
 */
export type RunAs = { kind: 'self' } | { kind: 'mapped' } | { kind: 'dropped'; uid: number; gid: number }

export type RunAsKind = RunAs['kind']

const unshare = ['--user', '--map-user=65534', '--map-group=65534', '--'] as const

/** Chooses the way to run for this user, or checks and takes the one that is `wanted`. */
export function decideRunAs(wanted?: RunAsKind): RunAs {
  const isRoot = process.getuid?.() === 0
  const kind = wanted ?? (isRoot || !hasName() ? (canMap() ? 'mapped' : 'dropped') : 'self')
  if (kind !== 'dropped') return { kind }
  if (!isRoot) {
    throw new Error(
      `User ${process.getuid?.() ?? ''} has no entry in /etc/passwd, which PostgreSQL needs. Add one, or run as a user that has a name.`,
    )
  }
  const { uid, gid } = nobody()
  return { kind, uid, gid }
}

/** The program, its arguments and spawn options that run `program` in the chosen way. */
export function commandFor(runAs: RunAs, program: string, args: readonly string[]) {
  switch (runAs.kind) {
    case 'self':
      return { program, args: [...args], options: {} }
    case 'mapped':
      return { program: 'unshare', args: [...unshare, program, ...args], options: {} }
    case 'dropped':
      return { program, args: [...args], options: { uid: runAs.uid, gid: runAs.gid } }
  }
}

const canMap = (): boolean => spawnSync('unshare', [...unshare, 'true'], { stdio: 'ignore' }).status === 0

function hasName(): boolean {
  try {
    userInfo()
    return true
  } catch {
    return false
  }
}

function nobody(): { uid: number; gid: number } {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    throw new Error(
      'PostgreSQL does not run as root, user namespaces are not available, and there is no user "nobody" to run it as. Start DAM as an ordinary user, or point DATABASE_URL at a PostgreSQL server, version 15 or newer.',
    )
  }
}

/** Nothing of our environment (secrets among it) reaches the database server. */
export const serverEnvironment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' }
