import { closeSync, existsSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'
import pino from 'pino'
import { currentContext, type Context } from './context.ts'

export type Fields = Record<string, unknown>
export type Log = {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
}

/** An ERROR line as the table `error_log` keeps it. */
export type ErrorEntry = Context & { message: string; code: string; route?: string; stack?: string }

const keptFiles = 5
const usualFileBytes = 64 * 1024 * 1024
const lookEveryLines = 500
const lookEveryMs = 5_000

/**
 * One JSON line per event, to `app.log` in `directory` and, unless `stdout` is false, to standard output. Levels are upper case;
 * `ref` repeats the ids as `user_id:123 asset_id:7`, so that plain grep finds them. `error` in fields may be an Error.
 */
export function openLog(options: {
  directory: string
  process: string
  /** Told in every line, so that lines of two releases that run side by side can be told apart. */
  release?: string
  level: 'debug' | 'info' | 'warn' | 'error'
  stdout: boolean
  /** Size at which app.log becomes app.log.1; five old files are kept. */
  fileBytes?: number
  onError?: (entry: ErrorEntry) => void
}): Log {
  mkdirSync(options.directory, { recursive: true })
  const file = path.join(options.directory, 'app.log')
  const fileBytes = options.fileBytes ?? usualFileBytes
  rotate(file, fileBytes)
  const destination = lineWriter(file)
  const keepBounded = boundFile(file, fileBytes, destination)
  const streams = [{ level: options.level, stream: destination }]
  if (options.stdout) streams.push({ level: options.level, stream: lineWriter(1) })
  const logger = pino(
    {
      level: options.level,
      base: { process: options.process, ...(options.release === undefined ? {} : { release: options.release }) },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
      mixin: () => {
        const context = currentContext()
        return context ? { ...context, ref: refOf(context) } : {}
      },
    },
    pino.multistream(streams),
  )
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Fields = {}) => {
      const { error, ...rest } = fields
      const explained = error === undefined ? rest : { ...rest, ...explain(error) }
      logger[level](explained, message)
      keepBounded()
      if (level === 'error') {
        const described: Partial<ReturnType<typeof explain>> = error === undefined ? {} : explain(error)
        options.onError?.({
          ...currentContext(),
          message: described.reason ? `${message}: ${described.reason}` : message,
          code: typeof rest['code'] === 'string' ? rest['code'] : (described.error_name ?? 'error'),
          ...(typeof rest['route'] === 'string' ? { route: rest['route'] } : {}),
          ...(described.stack ? { stack: described.stack } : {}),
        })
      }
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

type LineWriter = { readonly fd: number; write(line: string): void; reopen(): void }

/**
 * Writes whole lines at once, with nothing kept in memory. A line that cannot be written, such as to a full disk, is lost: what is being
 * logged must neither fail nor wait for its log. (pino's own destination throws, waits for ever or stops for good then.)
 */
function lineWriter(dest: string | 1): LineWriter {
  let fd = dest === 1 ? 1 : openSync(dest, 'a')
  let isMidLine = false
  return {
    get fd() {
      return fd
    },
    write: (line) => {
      const bytes = Buffer.from(isMidLine ? `\n${line}` : line)
      let written = 0
      let patience = 100
      while (written < bytes.length && patience > 0) {
        try {
          written += writeSync(fd, bytes, written)
        } catch (error) {
          // A pipe whose reader is slow.
          const isBusy = error instanceof Error && 'code' in error && error.code === 'EAGAIN'
          patience = isBusy ? patience - 1 : 0
          if (isBusy) Atomics.wait(pauses, 0, 0, 5)
        }
      }
      if (written > 0) isMidLine = written < bytes.length
    },
    reopen: () => {
      if (dest === 1) return
      const next = openSync(dest, 'a')
      closeSync(fd)
      fd = next
    },
  }
}

const pauses = new Int32Array(new SharedArrayBuffer(4))

const refOf = (context: Context): string =>
  Object.entries(context)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}:${value}`)
    .join(' ')

function explain(error: unknown): { reason: string; error_name?: string; stack?: string } {
  if (!(error instanceof Error)) return { reason: String(error) }
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return { reason: error.message + cause, error_name: error.name, ...(error.stack ? { stack: error.stack } : {}) }
}

/** Looks now and then whether the file is full, or was moved by the other process that writes to it. */
function boundFile(file: string, fileBytes: number, destination: LineWriter): () => void {
  let lines = 0
  let lookedAt = performance.now()
  return () => {
    if (++lines < lookEveryLines && performance.now() - lookedAt < lookEveryMs) return
    lines = 0
    lookedAt = performance.now()
    try {
      const { fd } = destination
      const current = statSync(file, { throwIfNoEntry: false })
      const isOurs = current !== undefined && current.ino === fstatSync(fd).ino
      if (isOurs && current.size < fileBytes) return
      if (isOurs) rotate(file, fileBytes)
      destination.reopen()
    } catch {
      // A log that cannot be moved grows; that is no reason to fail what is being logged.
    }
  }
}

function rotate(file: string, fileBytes: number): void {
  if (!existsSync(file) || statSync(file).size < fileBytes) return
  rmSync(`${file}.${keptFiles}`, { force: true })
  for (let n = keptFiles - 1; n >= 1; n--)
    if (existsSync(`${file}.${n}`)) renameSync(`${file}.${n}`, `${file}.${n + 1}`)
  renameSync(file, `${file}.1`)
}
