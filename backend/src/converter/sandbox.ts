import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Tools } from './tools.ts'

export type Sandbox = {
  kind: 'bwrap' | 'unshare' | 'none'
  /** For people: what it takes away from a converter. */
  describe: string
  /** Command line that runs `argv` inside. `readable` and `writable` are absolute folders it may see. */
  wrap(
    argv: readonly [string, ...string[]],
    folders: { readable: readonly string[]; writable: readonly string[] },
  ): [string, ...string[]]
}

/** Program files, fonts and nothing that is secret. */
const systemFolders = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/etc/alternatives',
  '/etc/fonts',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/var/cache/fontconfig',
  '/nix',
  '/opt',
]

/** The strongest sandbox that works here, found by trying. */
export function findSandbox(tools: Tools): Sandbox {
  const strongest = tools.bwrap ? bubblewrap(tools.bwrap) : undefined
  if (strongest && works(strongest)) return strongest
  const candidates = tools.unshare
    ? [unshare(tools.unshare, []), unshare(tools.unshare, ['--user', '--map-current-user'])]
    : []
  return candidates.find(works) ?? none
}

const bubblewrap = (program: string): Sandbox => ({
  kind: 'bwrap',
  describe: 'no network, own processes, read-only files, only the originals and its scratch folder visible',
  wrap: (argv, { readable, writable }) => [
    program,
    '--die-with-parent',
    '--new-session',
    '--unshare-net',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    '--cap-drop',
    'ALL',
    ...systemFolders.flatMap((folder) => ['--ro-bind-try', folder, folder]),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--tmpfs',
    '/tmp',
    ...[dirname(argv[0]), ...readable].flatMap((folder) => ['--ro-bind', folder, folder]),
    ...writable.flatMap((folder) => ['--bind', folder, folder]),
    '--chdir',
    '/',
    '--',
    ...argv,
  ],
})

const unshare = (program: string, extra: readonly string[]): Sandbox => ({
  kind: 'unshare',
  describe: 'no network; install bubblewrap to hide files as well',
  wrap: (argv) => [program, ...extra, '--net', '--', ...argv],
})

const none: Sandbox = {
  kind: 'none',
  describe: 'none: a separate process with limits on time and memory, but with network',
  wrap: (argv) => [...argv],
}

function works(sandbox: Sandbox): boolean {
  const program = ['/bin/true', '/usr/bin/true'].find((path) => existsSync(path))
  if (!program) return false
  const [command, ...args] = sandbox.wrap([program], { readable: [resolve('/usr')], writable: [] })
  return spawnSync(command, args, { timeout: 5_000, stdio: 'ignore' }).status === 0
}
