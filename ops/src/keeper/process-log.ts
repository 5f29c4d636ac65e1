import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'

const mostBytes = 4 * 1024 ** 2
const keptBytes = 256 * 1024

export const slotLogFile = (logsDir: string, slot: string): string => path.join(logsDir, `${slot}.log`)

/** For appending; the process keeps writing to it after we are gone. */
export function openProcessLog(file: string): number {
  mkdirSync(path.dirname(file), { recursive: true })
  boundProcessLog(file)
  return openSync(file, 'a', 0o600)
}

/** Cuts a log that has grown too large down to its end. What is written in that very moment may be lost. */
export function boundProcessLog(file: string): void {
  if (!existsSync(file) || statSync(file).size <= mostBytes) return
  const end = lastWords(file, keptBytes)
  truncateSync(file, 0)
  writeFileSync(file, end, { flag: 'a' })
}

/** The end of a log, whole lines; empty when there is none. */
export function lastWords(file: string, bytes = 4_000): string {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(fd)
    const buffer = Buffer.alloc(Math.min(size, bytes))
    const read = readSync(fd, buffer, 0, buffer.length, size - buffer.length)
    const text = buffer.toString('utf8', 0, read)
    return size > bytes ? text.slice(text.indexOf('\n') + 1) : text
  } finally {
    closeSync(fd)
  }
}
