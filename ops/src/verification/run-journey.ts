import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, type Asset, type Client, createClient, pathOf, type RouteName } from '@dam/contract'
import { syntheticHeader } from '@dam/contract/synthetic'
import type { JourneyResult, JourneyStep } from './journey.ts'
import { testPicture } from './test-picture.ts'

export type JourneyOptions = {
  /** Of the front or of one slot, without a trailing slash. */
  baseUrl: string
  username: string
  password: string
  /** The environment's secret; the front counts requests that carry it apart. */
  syntheticSecret: string
  /** What `/health` must name; unchecked when left out. */
  expectedVersion?: string
  /** Of the whole journey; cleaning up after a failure has five seconds more. */
  timeoutMs?: number
}

/**
 * Walks through what people do, on assets made for it, by the public API: upload both ways, ingest, search, rendition, download,
 * delete for good. Stops at the first step that fails, says why, and takes its assets away in any case. Never throws.
 */
export async function runJourney(options: JourneyOptions): Promise<JourneyResult> {
  const { timeoutMs = 60_000 } = options
  const startedAt = new Date().toISOString()
  const begin = performance.now()
  const traveller = travel(options, AbortSignal.timeout(timeoutMs))
  const steps: JourneyStep[] = []
  for (const [name, walk] of Object.entries(traveller.steps)) {
    const from = performance.now()
    const failure = await walk().then(() => null, reasonOf)
    steps.push({ name, ok: failure === null, tookMs: Math.round(performance.now() - from), message: failure ?? '' })
    if (failure !== null) break
  }
  const ok = steps.every((step) => step.ok)
  if (!ok) await travel(options, AbortSignal.timeout(5_000), traveller.baggage).cleanUp()
  return { ok, startedAt, tookMs: Math.round(performance.now() - begin), steps }
}

/** What has to be taken away at the end. */
type Baggage = { token: string | null; assetIds: number[] }

function travel(options: JourneyOptions, signal: AbortSignal, baggage: Baggage = { token: null, assetIds: [] }) {
  const { baseUrl, username, password } = options
  const word = `selftest${randomBytes(8).toString('hex')}`
  const picture = testPicture(randomBytes(64 * 64 * 3))
  const note = Buffer.from(`DAM checks itself: ${word}\n`)
  const headers = (): Record<string, string> => ({
    [syntheticHeader]: options.syntheticSecret,
    ...(baggage.token === null ? {} : { authorization: `Token ${baggage.token}` }),
  })
  const send = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(baseUrl + path, {
      ...init,
      redirect: 'manual',
      signal,
      headers: { ...headers(), ...(init.headers as Record<string, string> | undefined) },
    })
  const client = createClient({ baseUrl })
  const call: Client = (name, request) => client(name, request, { headers: headers(), signal })
  const [pictureId, noteId] = [() => baggage.assetIds[0] ?? 0, () => baggage.assetIds[1] ?? 0]

  const waitFor = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    for (let waitMs = 50; !(await isSo()); waitMs = Math.min(500, waitMs * 1.5)) {
      await sleep(waitMs, undefined, { signal }).catch(() => {
        throw new Error(`${what} within the time of the journey: it did not`)
      })
    }
  }
  const isGone = async (name: RouteName, id: number): Promise<boolean> => {
    const response = await send(pathOf(name, { id }))
    await response.body?.cancel()
    return response.status === 404
  }

  const steps: Record<string, () => Promise<void>> = {
    health: async () => {
      const response = await send('/health')
      const body = (await response.json()) as Record<string, unknown>
      must(response.status === 200 && body['status'] === 'healthy', `GET /health: ${response.status} ${show(body)}`)
      must(
        options.expectedVersion === undefined || body['version'] === options.expectedVersion,
        `GET /health names version ${show(body['version'])}, expected ${options.expectedVersion}`,
      )
    },
    'sign in': async () => {
      const { data } = await call('obtainToken', { body: { username, password } })
      baggage.token = data.token
      const { data: user } = await call('getCurrentUser', {})
      must(user.username === username, `signed in as ${user.username} instead of ${username}`)
    },
    'upload in one request': async () => {
      const form = new FormData()
      form.append('metadata', JSON.stringify({ label: `DAM self-test ${word}`, checksum: sha256(picture) }))
      form.append('file', new Blob([new Uint8Array(picture)], { type: 'image/png' }), `${word}.png`)
      const response = await send(pathOf('createAsset'), { method: 'POST', body: form })
      await mustAnswer(response, 201, 'upload')
      const asset = (await response.json()) as Asset
      baggage.assetIds.push(asset.id)
      must(asset.checksum === sha256(picture), `the checksum became ${asset.checksum}, sent was ${sha256(picture)}`)
    },
    'upload by tus': async () => {
      const tus = { 'tus-resumable': '1.0.0' }
      const created = await send(pathOf('createUpload'), {
        method: 'POST',
        headers: {
          ...tus,
          'upload-length': String(note.length),
          'upload-metadata': `filename ${Buffer.from(`${word}.txt`).toString('base64')}`,
        },
      })
      await mustAnswer(created, 201, `creating an upload`)
      // Its address carries the public origin, which need not be the one asked here.
      const path = new URL(created.headers.get('location') ?? '', baseUrl).pathname
      const half = Math.floor(note.length / 2)
      for (const [from, until] of [
        [0, half],
        [half, note.length],
      ] as const) {
        const appended = await send(path, {
          method: 'PATCH',
          headers: { ...tus, 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' },
          body: new Uint8Array(note.subarray(from, until)),
        })
        await mustAnswer(appended, 204, `appending from ${from}`)
      }
      const { data } = await call('listAssets', { query: { checksum: sha256(note) } })
      const asset = data.results[0]
      must(asset !== undefined, 'the upload was acknowledged, but there is no asset of it')
      baggage.assetIds.push(asset.id)
    },
    ingest: () =>
      waitFor('the picture and the text should be ready', async () => {
        const assets = await Promise.all(
          [pictureId(), noteId()].map(async (id) => (await call('getAsset', { params: { id } })).data),
        )
        const failed = assets.find((asset) => asset.status === 'failed')
        must(failed === undefined, `ingest of ${failed?.filename} failed: ${failed?.status_reason}`)
        return assets.every((asset) => asset.status === 'ready')
      }),
    search: () =>
      waitFor('search should find the picture', async () => {
        const { data } = await call('searchAssets', { query: {}, body: { q: word } })
        return data.results.some((asset) => asset.id === pictureId())
      }),
    rendition: async () => {
      await waitFor('the picture should have a preview', async () => {
        const { data } = await call('getAsset', { params: { id: pictureId() } })
        const isLost =
          data.preview_state === 'failed' || data.preview_state === 'refused' || data.preview_state === 'unavailable'
        must(!isLost, `the preview is ${data.preview_state}: ${data.preview_reason}`)
        return data.preview_state === 'ready'
      })
      const response = await send(pathOf('getRendition', { id: pictureId(), preset: 'thumbnail' }))
      const type = response.headers.get('content-type') ?? ''
      must(response.status === 200 && type.startsWith('image/'), `thumbnail: ${response.status} ${type}`)
      must((await response.arrayBuffer()).byteLength > 0, 'the thumbnail is empty')
    },
    download: async () => {
      const path = pathOf('downloadAsset', { id: pictureId() })
      const whole = await send(path)
      await mustAnswer(whole, 200, `download`)
      const bytes = Buffer.from(await whole.arrayBuffer())
      must(sha256(bytes) === sha256(picture), `the download has checksum ${sha256(bytes)}, sent was ${sha256(picture)}`)
      const part = await send(path, { headers: { range: 'bytes=10-19' } })
      await mustAnswer(part, 206, `Range`)
      must(
        Buffer.from(await part.arrayBuffer()).equals(picture.subarray(10, 20)),
        'Range gave other bytes than were uploaded',
      )
    },
    delete: async () => {
      for (const id of [pictureId(), noteId()]) {
        await call('deleteAsset', { params: { id } })
        await call('purgeAsset', { params: { id } })
      }
    },
    'nothing left': async () => {
      for (const id of [pictureId(), noteId()]) must(await isGone('getAsset', id), `asset ${id} is still there`)
      const { data } = await call('searchAssets', { query: {}, body: { q: word } })
      must(data.results.length === 0, 'search still finds it')
      const { data: trash } = await call('listTrash', { query: { q: word } })
      must(trash.results.length === 0, 'it is still in the trash')
      baggage.assetIds.length = 0
    },
    'sign out': async () => {
      await revoke()
      must((await send(pathOf('getCurrentUser'))).status === 401, 'the token still works after it was revoked')
      baggage.token = null
    },
  }

  const revoke = async (): Promise<void> => {
    const { data } = await call('listTokens', {})
    const own = data.results.find((token) => token.current)
    if (own) await call('revokeToken', { params: { id: own.id } })
  }
  /** Best effort: whatever it cannot take away carries "self-test" in its name. */
  const cleanUp = async (): Promise<void> => {
    if (baggage.token === null) return
    for (const id of baggage.assetIds) {
      await call('deleteAsset', { params: { id } }).catch(() => undefined)
      await call('purgeAsset', { params: { id } }).catch(() => undefined)
    }
    await revoke().catch(() => undefined)
  }
  return { steps, baggage, cleanUp }
}

function must(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new Error(otherwise)
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? 'nothing'
async function mustAnswer(response: Response, status: number, what: string): Promise<void> {
  if (response.status === status) return
  throw new Error(`${what}: ${response.status} ${(await response.text().catch(() => '')).slice(0, 300)}`)
}

function reasonOf(error: unknown): string {
  if (error instanceof ApiError) return `${error.status} ${error.code}: ${error.message}`
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'no answer within the time of the journey'
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
