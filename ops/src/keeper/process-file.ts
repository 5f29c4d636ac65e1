import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { processIdentity } from '@dam/platform/process-identity'

type Recorded = { pid: number; startedAt: string | null }

/**
 * The living process that the file names, or null. The process writes its number itself before it becomes the program,
 * so that a keeper killed right after starting one still leaves its successor a trace; the first keeper to see it adds
 * when it started, which tells it from a later process of the same number.
 */
export function livingProcess(file: string, mark: string): { pid: number; startedAt: string } | null {
  const recorded = read(file)
  const identity = recorded && processIdentity(recorded.pid)
  if (!recorded || !identity) return null
  if (recorded.startedAt !== null) return recorded.startedAt === identity.startedAt ? identity : null
  if (!carriesMark(identity.pid, identity.commandLine, mark)) return null
  const unfinished = `${file}.${process.pid}`
  writeFileSync(unfinished, JSON.stringify({ pid: identity.pid, startedAt: identity.startedAt }))
  renameSync(unfinished, file)
  return identity
}

export const forgetProcess = (file: string): void => rmSync(file, { force: true })

/** Program and arguments that note their own number in `file` and end with 75 when another was first. */
export function notingItself(
  file: string,
  command: string,
  args: readonly string[],
): { command: string; args: string[] } {
  return {
    command: '/bin/sh',
    args: [
      '-c',
      'set -C; file=$1; shift; { echo $$ > "$file"; } 2>/dev/null || exit 75; exec "$@"',
      'sh',
      file,
      command,
      ...args,
    ],
  }
}

function read(file: string): Recorded | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
  if (/^\d+$/.test(text)) return { pid: Number(text), startedAt: null }
  try {
    return JSON.parse(text) as Recorded
  } catch {
    return null
  }
}

function carriesMark(pid: number, commandLine: string, mark: string): boolean {
  if (process.platform !== 'linux') return /main\.ts|^dam: /.test(commandLine)
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)
  } catch {
    return false
  }
}
