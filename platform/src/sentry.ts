import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { ErrorEntry } from './log.ts'

export type Sentry = {
  /** Never waits and never throws; what is too much is dropped and counted. */
  report(entry: ErrorEntry): void
  /** What is waiting is sent, for at most two seconds. */
  flush(): Promise<void>
}

export type SentryOptions = {
  /** https://<key>@<host>/<project> */
  dsn: string
  process: string
  /** Such as `dam@v1.2.3`. */
  release: string
  environment: string
}

const mostWaiting = 50
/** Of one kind of error in a minute; the rest is in the log of DAM. */
const mostOfAKind = 10
const timeoutMs = 5_000

/** The address of the envelope endpoint and the public key of a DSN. Throws when it is none. */
export function parseDsn(dsn: string): { url: string; key: string } {
  const { protocol, host, username, pathname } = new URL(dsn)
  const project = /^(.*)\/(\d+)$/.exec(pathname)
  if (!/^https?:$/.test(protocol) || username === '' || !project)
    throw new Error('expected https://<key>@<host>/<project number>')
  return { url: `${protocol}//${host}${project[1]}/api/${project[2]}/envelope/`, key: username }
}

/** Nothing of people leaves: addresses, mail, tokens and passwords in texts are taken out. */
export const scrub = (text: string): string =>
  text
    .replaceAll(/\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/g, '[email]')
    .replaceAll(/\b(?:\d{1,3}\.){3}\d{1,3}\b/g, '[ip]')
    .replaceAll(/\b(?:Token|Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '[token]')
    .replaceAll(
      /\b(password|passwd|secret|token|api[_-]?key|authorization)(["']?\s*[:=]\s*["']?)[^\s"',;]+/gi,
      '$1$2[removed]',
    )
    .replaceAll(/\/\/[^\s/@:]+:[^\s/@]+@/g, '//[removed]@')

/** Sends ERROR lines as Sentry envelopes, one after another, in the background. */
export function openSentry(options: SentryOptions): Sentry {
  const { url, key } = parseDsn(options.dsn)
  let waiting: string[] = []
  let sending: Promise<void> | null = null
  let pausedUntil = 0
  const recent = new Map<string, { minute: number; count: number }>()

  const isTooMany = (kind: string): boolean => {
    const minute = Math.floor(performance.now() / 60_000)
    const before = recent.get(kind)
    const count = before?.minute === minute ? before.count + 1 : 1
    if (recent.size > 500) recent.clear()
    recent.set(kind, { minute, count })
    return count > mostOfAKind
  }
  const drain = async (): Promise<void> => {
    for (let envelope = waiting.shift(); envelope !== undefined; envelope = waiting.shift()) {
      if (performance.now() < pausedUntil) continue
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/x-sentry-envelope',
            'x-sentry-auth': `Sentry sentry_version=7, sentry_client=dam/1.0, sentry_key=${key}`,
          },
          body: envelope,
          redirect: 'error',
          signal: AbortSignal.timeout(timeoutMs),
        })
        await response.arrayBuffer()
        if (response.status === 429) {
          const seconds = Number(response.headers.get('retry-after'))
          pausedUntil = performance.now() + (seconds > 0 ? seconds : 60) * 1_000
        }
      } catch {
        // The error is in DAM's own log; a receiver that is away is asked again in half a minute.
        pausedUntil = performance.now() + 30_000
      }
    }
  }
  return {
    report: (entry) => {
      if (waiting.length >= mostWaiting || performance.now() < pausedUntil) return
      if (isTooMany(`${entry.code} ${entry.route ?? ''}`)) return
      waiting.push(envelopeOf(entry, options, new Date()))
      sending ??= drain().finally(() => {
        sending = null
      })
    },
    flush: async () => {
      await Promise.race([sending, new Promise((resolve) => setTimeout(resolve, 2_000).unref())])
      waiting = []
    },
  }
}

/** Three lines of JSON: header of the envelope, header of its item, the event. */
export function envelopeOf(entry: ErrorEntry, options: SentryOptions, now: Date): string {
  const id = randomUUID().replaceAll('-', '')
  const event = {
    event_id: id,
    timestamp: now.getTime() / 1_000,
    platform: 'node',
    level: 'error',
    logger: options.process,
    server_name: hostname(),
    release: options.release,
    environment: options.environment,
    ...(entry.route === undefined ? {} : { transaction: entry.route }),
    tags: { code: entry.code, process: options.process },
    exception: {
      values: [
        {
          type: entry.code,
          value: scrub(entry.message).slice(0, 2_000),
          ...(entry.stack === undefined ? {} : { stacktrace: { frames: framesOf(entry.stack) } }),
        },
      ],
    },
  }
  const item = JSON.stringify(event)
  const header = { event_id: id, sent_at: now.toISOString() }
  return `${JSON.stringify(header)}\n${JSON.stringify({ type: 'event', length: Buffer.byteLength(item) })}\n${item}\n`
}

/** Sentry has the innermost frame last. */
function framesOf(stack: string) {
  return stack
    .split('\n')
    .slice(0, 60)
    .flatMap((line) => {
      const [, name, file, row, column] =
        /^\s*at (?:(?:async )?(.+?) \()?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/.exec(line) ?? []
      if (file === undefined) return []
      const own = /((?:backend|platform|contract|ops)\/src\/.*)$/.exec(file)?.[1]
      return [
        {
          function: name ?? '<anonymous>',
          filename: own ?? file.replace(/^.*\/node_modules\//, 'node_modules/'),
          lineno: Number(row),
          colno: Number(column),
          in_app: own !== undefined,
        },
      ]
    })
    .toReversed()
}
