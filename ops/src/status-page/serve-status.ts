import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Store } from '../store.ts'
import { statusFeed, statusJson } from './status-feed.ts'
import { type Place, statusPage, statusPolicy, wordPage } from './status-html.ts'
import { readStatus, type StatusSource, type StatusView } from './status-view.ts'
import { askSubscription, confirmSubscription, countTry, endSubscription } from './subscription-store.ts'
import { askForConfirmation, type Telling } from './tell-subscribers.ts'
import { chooseLocale, words } from './words.ts'

export type StatusDeps = StatusSource & {
  store: Store
  serviceName: () => string
  baseUrl: string
  headers: Record<string, string>
  now: () => Date
}

/** However many read the page, it is made this often. */
const freshMs = 5_000
const email = z.email().max(254)
const tokenOf = (request: FastifyRequest): string => {
  const { token } = request.query as Record<string, unknown>
  return typeof token === 'string' && /^[\w-]{20,80}$/.test(token) ? token : ''
}

/** The public status page with its feed and its subscriptions. Nobody signs in; it works without scripts. */
export function serveStatus(http: FastifyInstance, deps: StatusDeps): void {
  let made: { at: number; status: StatusView } | null = null
  const status = (): StatusView => {
    const now = deps.now()
    if (!made || now.getTime() - made.at >= freshMs || now.getTime() < made.at)
      made = { at: now.getTime(), status: readStatus(deps, now) }
    return made.status
  }
  const placeOf = (request: FastifyRequest): Place => ({
    name: deps.serviceName(),
    locale: chooseLocale((request.query as Record<string, unknown>)['lang'], request.headers['accept-language']),
  })
  const telling = (): Telling => ({ name: deps.serviceName(), baseUrl: deps.baseUrl, now: deps.now() })
  const send = (reply: FastifyReply, place: Place, text: string, code = 200): FastifyReply =>
    reply
      .code(code)
      .headers({ ...deps.headers, 'content-security-policy': statusPolicy })
      .header('content-language', place.locale)
      .header('vary', 'accept-language')
      .type('text/html; charset=utf-8')
      .send(text)

  void http.register((scope, _options, done) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: 4_096 },
      (_request, body, parsed) => parsed(null, Object.fromEntries(new URLSearchParams(String(body)))),
    )

    scope.get('/status', (request, reply) => {
      const place = placeOf(request)
      void reply.header('cache-control', 'public, max-age=10')
      return send(reply, place, statusPage(status(), place, null))
    })
    // Others may show it: it holds nothing that is not public.
    scope.get('/status.json', (_request, reply) =>
      reply
        .headers({ 'cache-control': 'public, max-age=10', 'access-control-allow-origin': '*' })
        .header('cross-origin-resource-policy', 'cross-origin')
        .send(statusJson(status())),
    )
    scope.get('/status.atom', (_request, reply) =>
      reply
        .header('cache-control', 'public, max-age=60')
        .type('application/atom+xml; charset=utf-8')
        .send(statusFeed(status(), { name: deps.serviceName(), baseUrl: deps.baseUrl })),
    )

    scope.post('/status/subscribe', (request, reply) => {
      const place = placeOf(request)
      const say = words[place.locale]
      void reply.header('cache-control', 'no-store')
      const answer = (text: string, code: number): FastifyReply =>
        send(reply, place, statusPage(status(), place, { text, isBad: code >= 400 }), code)
      const given = (request.body as Record<string, unknown> | undefined)?.['email']
      const parsed = email.safeParse(typeof given === 'string' ? given.trim() : '')
      if (!parsed.success) return answer(say.badEmail, 400)
      const now = deps.now()
      if (!countTry(deps.store, 'address', request.ip, now)) return answer(say.tooMany, 429)
      // From here on the answer is the same, whoever the address belongs to and whatever is known of it.
      const address = parsed.data.toLowerCase()
      if (countTry(deps.store, 'email', address, now) && countTry(deps.store, 'everybody', '', now))
        deps.store.transaction(() => {
          const tokens = askSubscription(deps.store, { email: address, locale: place.locale, now })
          if (tokens) askForConfirmation(deps.store, { email: address, locale: place.locale, ...tokens }, telling())
        })
      return answer(say.asked, 200)
    })

    for (const step of ['confirm', 'leave'] as const) {
      const path = `/status/${step}`
      scope.get(path, (request, reply) => {
        const place = placeOf(request)
        const say = words[place.locale]
        const token = tokenOf(request)
        void reply.headers({ 'cache-control': 'no-store' })
        if (!token) return send(reply, place, wordPage(place, { text: say.badLink }), 400)
        return send(
          reply,
          place,
          wordPage(place, {
            text: step === 'confirm' ? say.confirmQuestion : say.leaveQuestion,
            button: {
              label: step === 'confirm' ? say.confirmButton : say.leaveButton,
              action: `${path}?lang=${place.locale}&token=${token}`,
            },
          }),
        )
      })
      // Mail programs also post here by themselves when one presses their own button (RFC 8058).
      scope.post(path, (request, reply) => {
        const place = placeOf(request)
        const say = words[place.locale]
        const token = tokenOf(request)
        void reply.header('cache-control', 'no-store')
        if (step === 'leave') {
          if (token) endSubscription(deps.store, token)
          return send(reply, place, wordPage(place, { text: say.left }))
        }
        const isConfirmed = token !== '' && confirmSubscription(deps.store, token, deps.now())
        return send(
          reply,
          place,
          wordPage(place, { text: isConfirmed ? say.confirmed : say.badLink }),
          isConfirmed ? 200 : 400,
        )
      })
    }
    done()
  })
}
