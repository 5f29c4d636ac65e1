/** The process that touches hostile bytes. It is told what to do over IPC, has no network and no secrets, and may be killed at any time. */
import { getPriority, setPriority } from 'node:os'
import sharp from 'sharp'
import { cleanText } from '../ingest/clean-text.ts'
import type { IngestError } from '../ingest/types.ts'
import { ExifTool } from './exiftool.ts'
import { identify } from './identify.ts'
import type { RequestMessage, ResponseMessage, StartMessage } from './protocol.ts'
import { readMetadata } from './read-metadata.ts'
import { Refusal } from './refusal.ts'
import { render } from './render.ts'
import type { Tools } from './tools.ts'

process.title = 'dam: converter'
// Somebody waits for an answer of the web process; nobody does for a converter. Under `nice` it is lower already, and raising is not allowed.
setPriority(Math.max(5, getPriority()))
sharp.concurrency(1)
sharp.cache(false)

let tools: Tools = {}
let exiftool: ExifTool | undefined

const send = (message: ResponseMessage): void => void process.send?.(message)

process.on('message', (message: StartMessage | RequestMessage) => {
  if ('start' in message) {
    tools = message.start.tools
    exiftool = tools.perl
      ? new ExifTool({ perl: tools.perl, timeoutMs: 12_000, maxFilesPerProcess: 500, maxOutputBytes: 96 * 1024 * 1024 })
      : undefined
    return send({ ready: true })
  }
  answer(message).then(
    (value) => send({ id: message.id, value }),
    (error: unknown) => send({ id: message.id, error: withoutPath(explain(error), message.input.path) }),
  )
})

process.on('disconnect', () => {
  exiftool?.close()
  process.exit(0)
})

function answer(message: RequestMessage) {
  switch (message.kind) {
    case 'identify':
      return identify(message.input)
    case 'readMetadata':
      return readMetadata({ ...message.input, exiftool, now: new Date() })
    case 'render':
      return render({ ...message.input, tools, exiftool })
  }
}

/** Decoders quote what they like: paths of the server and bytes of the file have no place in a message. */
const withoutPath = (error: IngestError, path: string): IngestError => ({
  ...error,
  message: cleanText(error.message.replaceAll(`file:${path}`, 'the file').replaceAll(path, 'the file'), 1_000),
})

function explain(error: unknown): IngestError {
  if (error instanceof Refusal) return error.reason
  const text = error instanceof Error ? error.message : String(error)
  const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  return missing
    ? {
        kind: 'failed',
        code: 'original-missing',
        message: 'The original is not in the blob store. Restore it from a backup, then run ingest again.',
        retryable: false,
      }
    : {
        kind: 'failed',
        code: 'converter-error',
        message: `The file could not be read: ${text.slice(0, 300)}`,
        retryable: false,
      }
}
