import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { isBackupId } from '../backup-folder.ts'
import { backupFiles } from '../manifest.ts'
import type { Target } from './target.ts'

/** Another machine, through its rsync or ssh; keys and host names are ssh's own affair. */
export function rsyncTarget(address: string, shell: Readonly<Record<string, string | undefined>>): Target {
  const base = `${address.replace(/\/+$/, '')}/`
  const run = (args: readonly string[], input: string, signal?: AbortSignal): Promise<string> =>
    runRsync(args, input, shell, signal)
  return {
    name: address,
    send: async (root, transfers, { signal, onBytes }) => {
      const list = transfers.map(({ key }) => `${key}\n`).join('')
      const moved = await run(
        ['-a', '--partial', '--mkpath', '--out-format=%n', '--files-from=-', `${root}/`, base],
        list,
        signal,
      )
      // Compares checksums on both sides: anything it would send again is not what it should be there.
      const different = filesOf(
        await run(
          ['-a', '--checksum', '--dry-run', '--out-format=%n', '--files-from=-', `${root}/`, base],
          list,
          signal,
        ),
      )
      if (different.length > 0)
        throw new Error(
          `${different.length} files did not arrive whole at ${address}, the first is ${different[0]}. Send it again.`,
        )
      const names = new Set(filesOf(moved))
      for (const { key, sizeBytes } of transfers) onBytes?.(key, sizeBytes)
      const bytes = transfers.filter(({ key }) => names.has(key)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      return { files: names.size, bytes, alreadyThere: transfers.length - names.size }
    },
    fetch: async (root, keys, { signal, onBytes }) => {
      await mkdir(root, { recursive: true, mode: 0o700 })
      await run(['-a', '--partial', '--files-from=-', base, `${root}/`], keys.map((key) => `${key}\n`).join(''), signal)
      for (const key of keys) onBytes?.(key, 0)
    },
    list: async () => {
      const found = await run(
        ['-r', '--list-only', `--include=/*/`, `--include=/*/${backupFiles.manifest}`, '--exclude=*', base],
        '',
      )
      const names = found.split('\n').map((line) => line.trim().split(/\s+/).at(-1) ?? '')
      return names
        .filter((name) => name.endsWith(`/${backupFiles.manifest}`))
        .map((name) => path.dirname(name))
        .filter(isBackupId)
        .toSorted()
    },
  }
}

const filesOf = (output: string): string[] => output.split('\n').filter((line) => line !== '' && !line.endsWith('/'))

async function runRsync(
  args: readonly string[],
  input: string,
  shell: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<string> {
  const child = spawn('rsync', args, {
    env: {
      PATH: shell['PATH'],
      HOME: shell['HOME'],
      SSH_AUTH_SOCK: shell['SSH_AUTH_SOCK'],
      RSYNC_PASSWORD: shell['RSYNC_PASSWORD'],
      LC_ALL: 'C',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(signal ? { signal } : {}),
  })
  let [said, failed] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (failed = `${failed}${chunk.toString()}`.slice(-2000)))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT'
          ? new Error('rsync is not on this machine. Install it: apt install rsync', { cause: error })
          : error,
      ),
    )
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`rsync ended with ${code}: ${failed.trim()}`)
  return said
}
