import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import path from 'node:path'

export type LogLine = { at: string; level: string; message: string; fields: Record<string, unknown>; raw: string }

/** A line of app.log; what is no JSON is an INFO line as it stands. */
export function parseLogLine(raw: string): LogLine {
  try {
    const { time, level, message, ...fields } = JSON.parse(raw) as Record<string, unknown>
    return { at: textOf(time), level: textOf(level), message: textOf(message), fields, raw }
  } catch {
    return { at: '', level: 'INFO', message: raw, fields: {}, raw }
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

export const logFile = (logsDir: string): string => path.join(logsDir, 'app.log')

/** The newest lines of the log, oldest first, over the files that were moved aside; reads at most `mostBytes` of each from its end. */
export function newestLines(
  logsDir: string,
  wanted: { count: number; where: (line: LogLine) => boolean; mostBytes?: number },
): LogLine[] {
  const found: LogLine[] = []
  for (const suffix of ['', '.1', '.2', '.3', '.4', '.5']) {
    const file = `${logFile(logsDir)}${suffix}`
    if (!existsSync(file)) break
    const lines = endOf(file, wanted.mostBytes ?? 64 * 1024 * 1024).split('\n')
    for (let index = lines.length - 1; index >= 0; index--) {
      const raw = lines[index]
      if (!raw) continue
      const line = parseLogLine(raw)
      if (wanted.where(line)) found.push(line)
      if (found.length >= wanted.count) return found.toReversed()
    }
    if (wanted.mostBytes !== undefined) break
  }
  return found.toReversed()
}

export function endOf(file: string, bytes: number): string {
  const fd = openSync(file, 'r')
  try {
    const { size } = fstatSync(fd)
    const buffer = Buffer.alloc(Math.min(size, bytes))
    readSync(fd, buffer, 0, buffer.length, size - buffer.length)
    const text = buffer.toString()
    // What was cut off is no line.
    return buffer.length < size ? text.slice(text.indexOf('\n') + 1) : text
  } finally {
    closeSync(fd)
  }
}
