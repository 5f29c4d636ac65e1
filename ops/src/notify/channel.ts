import type { Message } from './message.ts'

/** What a destination answered. `retry: false` means it will never take this message. */
export type Delivery =
  | {
      ok: true
      outcome: string
      /** What a later message of the subject needs to update this one. */ reference?: string
    }
  | {
      ok: false
      retry: boolean
      outcome: string
      retryAfterMs?: number
      /** True when it may have arrived although no answer says so: a time-out, a connection cut after it was sent. */
      mayHaveArrived?: boolean
    }

export type Sending = {
  message: Message
  /** Stable over attempts: receivers that know it drop duplicates. */
  key: string
  /** Of the address behind the colon: `#dam-oncall`, `oncall@dam.local`, the name of a webhook; '' for pagerduty. */
  target: string
  /** What the last delivery for this subject to this target left, or null. */
  reference: string | null
  now: Date
  signal: AbortSignal
}

export type Channel = {
  /** `slack`, `pagerduty`, `pagerduty-changes`, `email`, `webhook`, `record`. */
  kind: string
  /** Deliveries a minute that a destination takes; what is more waits or is bundled. */
  perMinute: number
  /** Whether several calm messages may be told in one. */
  canBundle: boolean
  /** Null when it can send; else what is missing, with the setting that supplies it. */
  missing(target: string): string | null
  send(sending: Sending): Promise<Delivery>
}

/** Reads an answer of an HTTP API the way senders need it. `body` is at most `most` characters. */
export async function postJson(
  url: string,
  body: unknown,
  options: { headers?: Record<string, string>; signal: AbortSignal; timeoutMs?: number },
): Promise<
  { status: number; body: string; retryAfterMs: number | null } | { failure: string; mayHaveArrived: boolean }
> {
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'DAM', ...options.headers },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs ?? 10_000)]),
    })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const reason = cause instanceof Error ? cause.message : String(cause)
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    return { failure: reason || code || String(error), mayHaveArrived: !neverArrived.test(code) }
  }
  const seconds = Number(response.headers.get('retry-after'))
  return {
    status: response.status,
    // The status is the answer; a body that trickles or breaks off does not undo it.
    body: (await response.text().catch(() => '')).slice(0, 2_000),
    retryAfterMs: response.headers.has('retry-after') && Number.isFinite(seconds) ? seconds * 1_000 : null,
  }
}

/** Errors from before the request was on its way: no connection, no name, no trust in the certificate. */
const neverArrived =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_.*|ERR_SSL_.*|CERT_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|UNABLE_TO_.*)$/

/** 2xx is delivered; 429 and 5xx are tried again; any other answer will not change. */
export function deliveryOf(answer: Awaited<ReturnType<typeof postJson>>): Delivery {
  if ('failure' in answer)
    return { ok: false, retry: true, outcome: answer.failure, mayHaveArrived: answer.mayHaveArrived }
  const outcome = `${answer.status} ${answer.body.slice(0, 200)}`.trim()
  if (answer.status >= 200 && answer.status < 300) return { ok: true, outcome }
  return {
    ok: false,
    retry: answer.status === 429 || answer.status === 408 || answer.status >= 500,
    outcome,
    ...(answer.retryAfterMs === null ? {} : { retryAfterMs: answer.retryAfterMs }),
  }
}

/** One line without control characters or direction marks, at most `most` characters. */
export const oneLine = (text: string, most: number): string => {
  const clean = text
    .replaceAll(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return clean.length > most ? `${clean.slice(0, most - 1)}…` : clean
}
