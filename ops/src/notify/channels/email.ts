import { createHash } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { type Channel, oneLine } from '../channel.ts'
import type { Message } from '../message.ts'

export type EmailOptions = {
  /** smtp://user:secret@host:587 or smtps://…; null when mail is not set up. */
  smtpUrl: string | null
  from: string
}

const domainOf = (address: string): string => /@([^>\s]+)/.exec(address)?.[1] ?? 'dam.local'
const idOf = (text: string, from: string): string =>
  `<${createHash('sha256').update(text).digest('hex').slice(0, 32)}@${domainOf(from)}>`

/** E-mail through SMTP. One thread a subject; the same message sent twice has the same Message-ID. */
export function emailChannel(options: EmailOptions): Channel & AsyncDisposable {
  const transport = options.smtpUrl
    ? createTransport({
        url: options.smtpUrl,
        pool: true,
        maxConnections: 2,
        connectionTimeout: 10_000,
        greetingTimeout: 10_000,
        socketTimeout: 20_000,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
    : null
  return {
    kind: 'email',
    perMinute: 60,
    canBundle: true,
    missing: () => (transport ? null : 'no mail server: set DAM_SMTP_URL=smtp://user:secret@host:587'),
    send: async ({ message, key, target }) => {
      if (!transport) return { ok: false, retry: false, outcome: 'no mail server' }
      const thread = idOf(`thread ${message.environment ?? ''} ${message.subject} ${target}`, options.from)
      try {
        const sent = await transport.sendMail({
          from: options.from,
          to: target,
          subject: oneLine(
            `${message.isResolution ? 'Resolved: ' : ''}${message.severity ? `[${message.severity}] ` : ''}${message.title}`,
            200,
          ),
          text: textOf(message),
          messageId: idOf(key, options.from),
          inReplyTo: thread,
          references: thread,
          headers: {
            'Auto-Submitted': 'auto-generated',
            'X-DAM-Event': oneLine(message.event, 60),
            ...(message.unsubscribeUrl === undefined
              ? {}
              : {
                  'List-Unsubscribe': `<${oneLine(message.unsubscribeUrl, 500)}>`,
                  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
                }),
          },
          priority: message.severity === 'P0' || message.severity === 'P1' ? 'high' : 'normal',
        })
        if (sent.rejected.length > 0) return { ok: false, retry: false, outcome: `refused: ${sent.response}` }
        return { ok: true, outcome: sent.response }
      } catch (error) {
        const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0
        const kind = error instanceof Error && 'code' in error ? String(error.code) : ''
        return {
          ok: false,
          retry: code < 500,
          // Cut off or silent after the mail was handed over; an answer or a connection that never stood says it was not taken.
          mayHaveArrived:
            code === 0 &&
            ['ETIMEDOUT', 'ESOCKET', 'ESTREAM', 'ECONNECTION'].includes(kind) &&
            !/ECONNREFUSED|Greeting/.test(String(error)),
          outcome: error instanceof Error ? error.message : String(error),
        }
      }
    },
    [Symbol.asyncDispose]: async () => transport?.close(),
  }
}

function textOf(message: Message): string {
  const width = Math.max(0, ...message.facts.map(({ label }) => label.length))
  return [
    message.text,
    message.facts.map(({ label, value }) => `${`${label}:`.padEnd(width + 2)}${oneLine(value, 1_000)}`).join('\n'),
    message.links.map(({ label, url }) => `${label}: ${url}`).join('\n'),
  ]
    .filter(Boolean)
    .join('\n\n')
}
