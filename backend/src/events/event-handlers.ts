import type { DamEvent } from '@dam/contract'
import type { Database } from '@dam/platform/database'
import type { Handlers } from '../http/handler.ts'
import type { Authenticator } from '../people/authenticate.ts'
import type { Hub } from './hub.ts'
import { readEvents } from './sequencer.ts'

const keepAliveMs = 20_000
/** A stream whose reader is this far behind is closed; the browser reconnects and reads the log instead. */
const mostBufferedBytes = 1024 * 1024

export type EventDeps = { database: Database; hub: Hub; authenticator: Authenticator; streams: Set<() => void> }

export function eventHandlers({ database, hub, authenticator, streams }: EventDeps): Pick<Handlers, 'listEvents' | 'streamEvents'> {
  return {
    listEvents: async ({ query }) => {
      const results = await readEvents(database, query.after ?? 0, query.limit ?? 200)
      return { results, last: results.at(-1)?.seq ?? query.after ?? hub.last() }
    },

    streamEvents: async ({ query }, { request, reply }) => {
      const resume = Number(request.headers['last-event-id'] ?? query.after)
      reply.hijack()
      const response = reply.raw
      response.writeHead(200, {
        ...reply.getHeaders(),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'private, no-store',
        'x-accel-buffering': 'no',
      } as Record<string, string>)
      let position = Number.isInteger(resume) && resume >= 0 ? resume : hub.last()
      response.write(`retry: 1000\nid: ${position}\nevent: hello\ndata: {"last":${hub.last()}}\n\n`)

      const send = (events: DamEvent[]): void => {
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
      const beat = setInterval(() => {
        response.write(': still here\n\n')
        // A session that was revoked does not keep listening.
        if (credential) authenticator.authenticate(credential).then((principal) => principal ?? end(), end)
      }, keepAliveMs)
      const end = (): void => {
        clearInterval(beat)
        unsubscribe()
        streams.delete(end)
        response.end()
      }
      // Live events wait in `early` until the log before them was read, so that none is missed or sent out of order.
      let early: DamEvent[] | undefined = []
      const unsubscribe = hub.subscribe((events) => {
        if (early) early.push(...events)
        else send(events)
      })
      streams.add(end)
      response.once('close', end)
      try {
        for (;;) {
          const events = position < hub.last() ? await readEvents(database, position, 500) : []
          if (events.length === 0) break
          send(events)
        }
        send(early)
        early = undefined
      } catch {
        end()
      }
      return reply
    },
  }
}
