import type { ServerResponse } from 'node:http'
import type { DamEvent } from '@dam/contract'
import type { Database } from '@dam/platform/database'
import type { Handlers } from '../http/handler.ts'
import type { Authenticator } from '../people/authenticate.ts'
import type { Hub } from './hub.ts'
import { readEvents } from './sequencer.ts'

const keepAliveMs = 20_000
/** A stream whose reader is this far behind is cut; the browser reconnects and reads the log instead. */
const mostBufferedBytes = 1024 * 1024

export type EventDeps = { database: Database; hub: Hub; authenticator: Authenticator; streams: Set<() => void> }

export function eventHandlers({
  database,
  hub,
  authenticator,
  streams,
}: EventDeps): Pick<Handlers, 'listEvents' | 'streamEvents'> {
  return {
    listEvents: async ({ query }) => {
      const results = await readEvents(database, query.after ?? 0, query.limit ?? 200)
      return { results, last: results.at(-1)?.seq ?? query.after ?? hub.last() }
    },
    streamEvents: async ({ query }, { request, reply }) => {
      const headers = {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'private, no-store',
        'x-accel-buffering': 'no',
      }
      if (request.method === 'HEAD') return reply.headers(headers).send()
      reply.hijack()
      const response = reply.raw
      response.writeHead(200, { ...reply.getHeaders(), ...headers } as Record<string, string>)
      // A number from beyond the end belongs to another database or to a process ahead of this one: repeat rather than miss.
      const resume = Number(request.headers['last-event-id'] ?? query.after)
      let position = Number.isInteger(resume) && resume >= 0 ? Math.min(resume, hub.last()) : hub.last()
      let isOpen = true
      response.write(`retry: 1000\nid: ${position}\nevent: hello\ndata: {"last":${hub.last()}}\n\n`)

      const send = (events: DamEvent[]): void => {
        if (!isOpen) return
        let text = ''
        for (const event of events) {
          if (event.seq <= position) continue
          position = event.seq
          text += `id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`
        }
        if (text) response.write(text)
        if (response.writableLength > mostBufferedBytes) end()
      }
      const credential = authenticator.credentialOf(request.raw)
      let wasStuck = false
      const beat = setInterval(() => {
        if (wasStuck && response.writableNeedDrain) {
          end()
          return
        }
        wasStuck = response.writableNeedDrain
        response.write(': still here\n\n')
        // A session that was revoked does not keep listening.
        if (credential) authenticator.authenticate(credential).then((principal) => principal ?? end(), end)
      }, keepAliveMs)
      const end = (): void => {
        if (!isOpen) return
        isOpen = false
        clearInterval(beat)
        unsubscribe()
        streams.delete(end)
        // Whoever does not read would never let a polite end through.
        if (response.writableNeedDrain) response.destroy()
        else response.end()
      }
      // Until the log was read up to here, live events are left to the log: none is missed, sent twice or held in memory.
      let isLive = false
      const unsubscribe = hub.subscribe((events) => {
        if (isLive) send(events)
      })
      streams.add(end)
      response.once('close', end)
      try {
        while (isOpen && position < hub.last()) {
          const events = await readEvents(database, position, 500)
          if (events.length === 0) position = hub.last()
          send(events)
          if (isOpen && response.writableNeedDrain) await drained(response)
        }
        isLive = true
      } catch {
        end()
      }
      return reply
    },
  }
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
