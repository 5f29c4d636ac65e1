import { createHash, createHmac } from 'node:crypto'
import type { ValuesOf } from '@dam/platform/settings'
import type { cdnSettings } from './cdn-settings.ts'

export type CdnConfig = ValuesOf<typeof cdnSettings>
export type PurgeAnswer = { url: string; ok: boolean; says: string }

const boundMs = 10_000

/** Purges addresses in the words of the provider. Throws when none is set up, saying how. */
export async function purgeCdn(config: CdnConfig, urls: readonly string[], now: Date): Promise<PurgeAnswer[]> {
  for (const url of urls)
    if (!/^https?:$/.test(new URL(url).protocol)) throw new Error(`${url} is no address of a web server`)
  switch (config.cdnProvider) {
    case undefined:
      throw new Error(
        'Nobody said how the CDN is purged: set DAM_CDN_PROVIDER (purge, fastly, cloudflare or cloudfront) and DAM_CDN_TOKEN.',
      )
    case 'purge':
      return Promise.all(urls.map((url) => send(url, { method: 'PURGE', headers: bearer(config) }, url)))
    case 'fastly': {
      const api = config.cdnApiUrl ?? 'https://api.fastly.com'
      return Promise.all(
        urls.map((url) =>
          send(
            `${api}/purge/${url.replace(/^https?:\/\//, '')}`,
            {
              method: 'POST',
              headers: { 'fastly-key': tokenOf(config), 'fastly-soft-purge': '1', accept: 'application/json' },
            },
            url,
          ),
        ),
      )
    }
    case 'cloudflare': {
      const api = config.cdnApiUrl ?? 'https://api.cloudflare.com/client/v4'
      const zone = zoneOf(config)
      const answers: PurgeAnswer[] = []
      // Thirty addresses in one request at most.
      for (let from = 0; from < urls.length; from += 30) {
        const files = urls.slice(from, from + 30)
        const answer = await send(
          `${api}/zones/${zone}/purge_cache`,
          {
            method: 'POST',
            headers: { authorization: `Bearer ${tokenOf(config)}`, 'content-type': 'application/json' },
            body: JSON.stringify({ files }),
          },
          '',
        )
        answers.push(...files.map((url) => ({ ...answer, url })))
      }
      return answers
    }
    case 'cloudfront': {
      const api = config.cdnApiUrl ?? 'https://cloudfront.amazonaws.com'
      const items = urls.map((url) => `<Path>${xml(new URL(url).pathname)}</Path>`).join('')
      const body = `<?xml version="1.0" encoding="UTF-8"?><InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Paths><Quantity>${urls.length}</Quantity><Items>${items}</Items></Paths><CallerReference>dam-${now.getTime()}</CallerReference></InvalidationBatch>`
      const target = new URL(`${api}/2020-05-31/distribution/${zoneOf(config)}/invalidation`)
      const answer = await send(
        target.href,
        { method: 'POST', headers: signedHeaders(target, body, tokenOf(config), now), body },
        '',
      )
      return urls.map((url) => ({ ...answer, url }))
    }
  }
}

async function send(target: string, init: RequestInit, url: string): Promise<PurgeAnswer> {
  try {
    const response = await fetch(target, { ...init, signal: AbortSignal.timeout(boundMs) })
    const text = (await response.text()).slice(0, 300)
    return { url, ok: response.ok, says: `${response.status} ${text}`.trim() }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return { url, ok: false, says: cause instanceof Error ? cause.message : String(cause) }
  }
}

function tokenOf({ cdnToken }: CdnConfig): string {
  if (!cdnToken) throw new Error('The CDN wants a token: set DAM_CDN_TOKEN.')
  return cdnToken.reveal()
}

function zoneOf({ cdnZone }: CdnConfig): string {
  if (cdnZone === undefined) throw new Error('The CDN wants to know which zone or distribution: set DAM_CDN_ZONE.')
  return cdnZone
}

const bearer = ({ cdnToken }: CdnConfig): Record<string, string> =>
  cdnToken ? { authorization: `Bearer ${cdnToken.reveal()}` } : {}

const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** AWS Signature Version 4 for the service cloudfront, whose region is us-east-1. */
export function signedHeaders(target: URL, body: string, token: string, now: Date): Record<string, string> {
  const at = token.indexOf(':')
  if (at <= 0) throw new Error('CloudFront wants DAM_CDN_TOKEN as <access key id>:<secret access key>.')
  const [id, secret] = [token.slice(0, at), token.slice(at + 1)]
  const stamp = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const day = stamp.slice(0, 8)
  const scope = `${day}/us-east-1/cloudfront/aws4_request`
  const headers = { host: target.host, 'x-amz-content-sha256': sha256(body), 'x-amz-date': stamp }
  const names = Object.keys(headers).join(';')
  const canonical = [
    'POST',
    target.pathname,
    '',
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    '',
    names,
    sha256(body),
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n')
  const key = ['us-east-1', 'cloudfront', 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, day))
  const signature = hmac(key, toSign).toString('hex')
  return {
    'x-amz-content-sha256': headers['x-amz-content-sha256'],
    'x-amz-date': stamp,
    'content-type': 'application/xml',
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}
