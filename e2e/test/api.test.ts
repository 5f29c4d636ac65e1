import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { Upload } from 'tus-js-client'
import { routes } from '@dam/contract/routes'
import { root } from '../src/config.ts'
import { heavyPicture, noise, picture, text, type TestFile } from '../src/files.ts'
import { parsePrometheus } from '../src/prometheus.ts'
import { expect, test, untilIngested, upload, type People, type Person } from '../src/test.ts'

test.use({ library: 'api' })

/** The body as a client without types sees it: what it holds is what these tests are about. */
type Json = ReturnType<typeof JSON.parse>
type Answer = { status: number; headers: Headers; json: Json; text: string }

/** A request as a program sends it: with a token, without a browser. */
async function send(
  address: string,
  person: Person | null,
  method: string,
  pathname: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await fetch(`${address}${pathname}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(person ? { authorization: `Token ${person.token}` } : {}),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  })
  const body = await answer.text()
  const isJson = /json/.test(answer.headers.get('content-type') ?? '')
  return {
    status: answer.status,
    headers: answer.headers,
    text: body,
    json: isJson && body ? JSON.parse(body) : undefined,
  }
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const assets = '/api/v4/dam/assets/'

let ids: number[]
let files: TestFile[]
let first: { address: string; people: People }
test.beforeAll(async ({ product, people }) => {
  first = { address: product.address, people }
  files = [
    await picture('one.jpg', {
      width: 640,
      height: 400,
      hue: 10,
      capturedAt: '2022:05:17 09:30:00',
      camera: 'Pentacon Six',
    }),
    await picture('two.png', { width: 300, height: 500, hue: 120, format: 'png' }),
    await picture('three.jpg', { width: 500, height: 500, hue: 240 }),
    text('notes.txt', 'Words of one file'),
  ]
  ids = await upload(product.address, people.editor, files)
  await untilIngested(people.editor)
})

const ask = (
  method: string,
  pathname: string,
  options: { as?: keyof People | null; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> =>
  send(first.address, options.as === null ? null : first.people[options.as ?? 'editor'], method, pathname, options)

test('the health endpoints of the runbook answer with exactly its keys', async () => {
  const health = await ask('GET', '/health', { as: null })
  expect(health.status).toBe(200)
  expect(Object.keys(health.json)).toEqual(['status', 'version', 'timestamp'])
  expect(health.json).toMatchObject({ status: 'healthy', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
  expect(health.json.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const api = await ask('GET', '/api/health', { as: null })
  expect(api.status).toBe(200)
  expect(Object.keys(api.json).slice(0, 4)).toEqual(['status', 'database', 'cache', 'version'])
  expect(api.json).toMatchObject({
    status: 'healthy',
    database: 'connected',
    cache: 'connected',
    version: health.json.version,
  })
})

test('the metrics parse as Prometheus text and hold what the runbook watches', async () => {
  await ask('GET', `${assets}?search=one`)
  await ask('GET', '/api/v4/admin/health/', { as: 'administrator' })
  const { status, text: body, headers } = await ask('GET', '/metrics', { as: null })
  expect(status).toBe(200)
  expect(headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const { samples, types } = parsePrometheus(body)
  const names = new Set(samples.map((sample) => sample.name))
  const meanings: [string, RegExp][] = [
    ['requests by route template', /^(dam_)?http_requests?_total$/],
    ['latency histogram', /^(dam_)?http_request_duration_seconds_bucket$/],
    ['active users', /active_users/],
    ['uploads by outcome', /uploads?_.*total|uploads_total/],
    ['searches by outcome', /search(es)?_.*total|searches_total/],
    ['queue depth', /queue_(depth|jobs|waiting)/],
    ['queue age', /queue_.*(age|oldest).*seconds/],
    ['process CPU', /process_cpu_seconds/],
    ['process memory', /process_resident_memory_bytes/],
    ['machine CPU', /host_cpu_ratio/],
    ['machine memory', /host_memory_bytes/],
    ['disk', /disk_bytes/],
    ['event-loop lag', /event_loop_lag_seconds/],
    ['database pool', /database_pool_connections/],
    ['error ratio', /http_error_ratio/],
    ['cache hits', /cache_reads_total/],
    ['build', /build_info/],
  ]
  for (const [meaning, pattern] of meanings)
    expect
      .soft(
        [...names].filter((name) => pattern.test(name)),
        meaning,
      )
      .not.toEqual([])
  const routed = samples.filter((sample) => /requests?_total$/.test(sample.name) && sample.labels['route'])
  expect(routed.length).toBeGreaterThan(0)
  expect(
    routed.filter((sample) => /\d{2,}/.test(sample.labels['route']!.replace('v4', ''))),
    'routes are templates, not addresses',
  ).toEqual([])
  expect([...types.values()].filter((type) => type === 'histogram').length).toBeGreaterThan(0)
})

test('the runbook’s curl line measures a fast refusal when no token is sent', async () => {
  const output = execFileSync('curl', ['-sS', '-w', '@curl-format.txt', `${first.address}${assets}`], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(output).toMatch(/http_status:\s+401/)
  expect(Number(/time_total:\s+([\d.]+)s/.exec(output)?.[1])).toBeGreaterThan(0)
  expect(output).toContain('"code":"not-authenticated"')
})

test('every endpoint but the public ones refuses a caller without a token, and says so as a problem', async () => {
  const open = new Set(['getSession', 'setUp', 'signIn', 'obtainToken', 'uploadOptions', 'getSchema', 'getMaintenance'])
  for (const [name, { method, path: template }] of Object.entries(routes)) {
    if (open.has(name)) continue
    const answer = await ask(
      method,
      `/api/v4${template.replace('{id}', template.includes('uploads') ? randomUUID() : '1').replace('{preset}', 'thumbnail')}`,
      { as: null },
    )
    expect.soft(`${name} ${answer.status}`).toBe(`${name} 401`)
    if (method === 'HEAD') continue
    expect.soft(answer.headers.get('content-type'), name).toContain('application/problem+json')
    expect.soft(answer.json, name).toMatchObject({
      detail: expect.any(String),
      error: { code: 'not-authenticated', message: expect.any(String), details: {}, request_id: expect.any(String) },
    })
  }
})

test('lists come in the envelope, in pages of either form, with absolute links', async () => {
  const all = await ask('GET', assets)
  expect(Object.keys(all.json)).toEqual(expect.arrayContaining(['count', 'next', 'previous', 'results']))
  expect(all.json.count).toBe(all.json.results.length)
  const numbered = await ask('GET', `${assets}?page=2&page_size=2&ordering=filename`)
  expect(numbered.json.results).toHaveLength(2)
  expect(numbered.json.previous).toContain(`${first.address}${assets}?`)
  const offset = await ask('GET', `${assets}?limit=2&offset=2&ordering=filename`)
  expect(offset.json.results.map((asset: { id: number }) => asset.id)).toEqual(
    numbered.json.results.map((asset: { id: number }) => asset.id),
  )
  const seen: number[] = []
  let next: string | null = `${first.address}${assets}?limit=1&cursor=`
  while (next) {
    const step: Answer = await ask('GET', next.slice(first.address.length))
    seen.push(...step.json.results.map((asset: { id: number }) => asset.id))
    next = step.json.next
  }
  expect(seen).toEqual(all.json.results.map((asset: { id: number }) => asset.id))
  const past = await ask('GET', `${assets}?page=900`)
  expect([past.status, past.json.detail]).toEqual([404, 'Invalid page.'])
})

test('an order, a filter or a field that does not exist is refused by name', async () => {
  const order = await ask('GET', `${assets}?ordering=colour`)
  expect(order.status).toBe(400)
  expect(order.json.detail).toContain('date_added')
  const filter = await ask('GET', `${assets}?typ=image`)
  expect([filter.status, Array.isArray(filter.json.typ)]).toEqual([400, true])
  const kind = await ask('GET', `${assets}?type=picture`)
  expect(kind.status).toBe(400)
  const field = await ask('PATCH', `${assets}${ids[0]}/`, { body: { size: 1 } })
  expect([field.status, field.json.error.code, field.json.size]).toEqual([400, 'unknown-field', [expect.any(String)]])
})

test('paths work with and without their last slash, and other methods are named', async () => {
  expect((await ask('GET', '/api/v4/dam/assets')).status).toBe(200)
  const posted = await ask('POST', '/api/v4/dam/assets/search', { body: { q: 'one' } })
  expect(posted.status).toBe(200)
  const wrong = await ask('PUT', assets)
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, expect.stringContaining('GET')])
})

test('an asset changes only for who saw its newest state', async () => {
  const [id] = ids
  const seen = await ask('GET', `${assets}${id}/`)
  const etag = seen.headers.get('etag')
  expect(etag).toMatch(/^(W\/)?"[^"]+"$/)
  expect((await ask('GET', `${assets}${id}/`, { headers: { 'if-none-match': etag! } })).status).toBe(304)
  const changed = await ask('PATCH', `${assets}${id}/`, {
    body: { label: 'Changed once' },
    headers: { 'if-match': etag! },
  })
  expect(changed.status).toBe(200)
  const late = await ask('PATCH', `${assets}${id}/`, {
    body: { label: 'Changed too late' },
    headers: { 'if-match': etag! },
  })
  expect([late.status, late.json.error.code]).toEqual([412, 'edit-conflict'])
  expect((await ask('GET', `${assets}${id}/`)).json.label).toBe('Changed once')
})

test('an original comes back byte for byte, whole and in ranges', async ({ product, people }) => {
  const big = { ...(await heavyPicture('big.png', 700_000, 77)), name: 'Größe – ‘big’; 100%, done.png' }
  const [id] = await upload(product.address, people.editor, [big])
  const address = `${product.address}${assets}${id}/download/`
  const headers = { authorization: `Token ${people.viewer.token}` }
  const whole = await fetch(address, { headers })
  expect(sha256(Buffer.from(await whole.arrayBuffer()))).toBe(sha256(big.bytes))
  expect(whole.headers.get('accept-ranges')).toBe('bytes')
  expect(whole.headers.get('x-content-type-options')).toBe('nosniff')
  const disposition = whole.headers.get('content-disposition') ?? ''
  expect(disposition).toMatch(/^attachment;/)
  expect(decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1] ?? '')).toBe(big.name)
  const part = await fetch(address, { headers: { ...headers, range: 'bytes=1000-1999' } })
  expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 1000-1999/${big.bytes.length}`])
  expect(Buffer.from(await part.arrayBuffer()).equals(big.bytes.subarray(1000, 2000))).toBe(true)
  const tail = await fetch(address, { headers: { ...headers, range: 'bytes=-10' } })
  expect(Buffer.from(await tail.arrayBuffer()).equals(big.bytes.subarray(-10))).toBe(true)
  const outside = await fetch(address, { headers: { ...headers, range: `bytes=${big.bytes.length}-` } })
  expect([outside.status, outside.headers.get('content-range')]).toEqual([416, `bytes */${big.bytes.length}`])
  const same = await fetch(address, { headers: { ...headers, 'if-none-match': whole.headers.get('etag')! } })
  expect(same.status).toBe(304)
})

test('a request repeated under the same idempotency key makes one collection', async () => {
  const headers = { 'idempotency-key': randomUUID() }
  const name = `Once ${headers['idempotency-key']}`
  const [one, two] = [
    await ask('POST', '/api/v4/collections/', { body: { name }, headers }),
    await ask('POST', '/api/v4/collections/', { body: { name }, headers }),
  ]
  expect([one.status, two.status, two.json.id]).toEqual([201, 201, one.json.id])
  const other = await ask('POST', '/api/v4/collections/', { body: { name: 'Another' }, headers })
  expect(other.status).toBe(409)
})

test('a tus client of npm uploads, is interrupted and goes on where the server is', async ({ product, people }) => {
  const file = await heavyPicture('tus.png', 3_000_000, 5)
  const options = {
    endpoint: `${product.address}/api/v4/uploads/`,
    chunkSize: 500_000,
    headers: { Authorization: `Token ${people.editor.token}` },
    metadata: { filename: 'tus.png', filetype: 'image/png', relativePath: 'From node/deep/tus.png' },
    retryDelays: [],
  }
  const url = await new Promise<string>((resolve, reject) => {
    const interrupted = new Upload(file.bytes, {
      ...options,
      onError: reject,
      onChunkComplete: (_size, sent) => {
        if (sent >= 1_500_000) void interrupted.abort().then(() => resolve(interrupted.url!))
      },
    })
    interrupted.start()
  })
  const listed = await ask('GET', '/api/v4/uploads/')
  expect(listed.json.results.find((entry: { url: string }) => entry.url === url)).toMatchObject({
    filename: 'tus.png',
    length: file.bytes.length,
    state: 'receiving',
  })
  const strange = await fetch(url, {
    method: 'HEAD',
    headers: { authorization: `Token ${people.administrator.token}`, 'tus-resumable': '1.0.0' },
  })
  expect(strange.status, 'an upload of somebody else does not exist').toBe(404)
  let sentAgain = 0
  await new Promise<void>((resolve, reject) => {
    const { endpoint: _endpoint, ...rest } = options
    new Upload(file.bytes, {
      ...rest,
      uploadUrl: url,
      onError: reject,
      onSuccess: () => resolve(),
      onChunkComplete: (size) => (sentAgain += size),
    }).start()
  })
  expect(sentAgain).toBeLessThanOrEqual(file.bytes.length - 1_500_000)
  const found = await ask('GET', `${assets}?checksum=${sha256(file.bytes)}`)
  expect(found.json.count).toBe(1)
  const detail = await ask('GET', `${assets}${found.json.results[0].id}/`)
  expect(detail.json.collections.map((collection: { path: string }) => collection.path)).toContain('From node/deep')
})

test('bytes that do not have their announced checksum, and empty files, are refused', async ({ product, people }) => {
  const headers = { authorization: `Token ${people.editor.token}`, 'tus-resumable': '1.0.0' }
  const bytes = noise(2_000, 9)
  const created = await fetch(`${product.address}/api/v4/uploads/`, {
    method: 'POST',
    headers: {
      ...headers,
      'upload-length': '2000',
      'upload-metadata': `filename ${Buffer.from('sum.bin').toString('base64')}`,
    },
  })
  expect(created.status).toBe(201)
  const patched = await fetch(created.headers.get('location')!, {
    method: 'PATCH',
    headers: {
      ...headers,
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'upload-checksum': `sha256 ${createHash('sha256').update('other').digest('base64')}`,
    },
    body: Uint8Array.from(bytes),
  })
  expect(patched.status).toBe(460)
  const offset = await fetch(created.headers.get('location')!, { method: 'HEAD', headers })
  expect(offset.headers.get('upload-offset')).toBe('0')
  const form = new FormData()
  form.append('file', new File([], 'empty.jpg'))
  const empty = await fetch(`${product.address}${assets}`, {
    method: 'POST',
    headers: { authorization: headers.authorization },
    body: form,
  })
  expect(empty.status).toBeGreaterThanOrEqual(400)
  expect(empty.status).toBeLessThan(500)
  expect(((await empty.json()) as { detail: string }).detail).toMatch(/empty|no bytes|0 bytes/i)
})

test('search answers with hits, filters and facets', async () => {
  const all = await ask('POST', `${assets}search/`, { body: { q: '', facets: ['type', 'tags', 'year'] } })
  expect(all.json.facets.type.image).toBeGreaterThanOrEqual(3)
  const found = await ask('POST', `${assets}search/`, { body: { q: 'pentacon' } })
  expect(found.json.results.map((asset: { id: number }) => asset.id)).toEqual([ids[0]])
  const none = await ask('POST', `${assets}search/`, { body: { q: 'pentacon', filters: { type: ['video'] } } })
  expect(none.json).toMatchObject({ count: 0, results: [] })
})

test('many assets are tagged, trashed and restored in one request', async () => {
  const chosen = ids.slice(0, 3)
  const dry = await ask('POST', `${assets}bulk/`, {
    body: { ids: chosen, action: 'add_tags', data: { tags: ['bulk'] }, dry_run: true },
  })
  expect(dry.json).toMatchObject({ dry_run: true, updated: 3 })
  expect((await ask('GET', `${assets}?tags=bulk`)).json.count).toBe(0)
  const tagged = await ask('POST', `${assets}bulk/`, {
    body: { ids: [...chosen, 999_999], action: 'add_tags', data: { tags: ['bulk'] } },
  })
  expect(tagged.json).toMatchObject({ updated: 3, failed: 1, errors: [{ id: 999_999, error: expect.any(String) }] })
  expect((await ask('GET', `${assets}?tags=bulk`)).json.count).toBe(3)
  expect((await ask('GET', '/api/v4/tags/?q=bulk')).json.results).toMatchObject([{ name: 'bulk', asset_count: 3 }])
  await ask('POST', `${assets}bulk/`, { body: { filter: { filters: { tags: ['bulk'] } }, action: 'delete' } })
  expect((await ask('GET', '/api/v4/trash/')).json.count).toBe(3)
  expect(
    (await ask('GET', assets + chosen[0] + '/', { as: 'viewer' })).status,
    'a viewer does not see what is in the trash',
  ).toBe(404)
  await ask('POST', `${assets}bulk/`, { body: { ids: chosen, action: 'restore' } })
  expect((await ask('GET', '/api/v4/trash/')).json.count).toBe(0)
})

test('a viewer may look and download, and may change nothing', async () => {
  const [id] = ids
  for (const [method, pathname, status] of [
    ['GET', assets, 200],
    ['GET', `${assets}${id}/`, 200],
    ['GET', `${assets}${id}/download/`, 200],
    ['PATCH', `${assets}${id}/`, 403],
    ['DELETE', `${assets}${id}/`, 403],
    ['POST', `${assets}bulk/`, 403],
    ['POST', '/api/v4/uploads/', 403],
    ['GET', '/api/v4/trash/', 403],
    ['DELETE', '/api/v4/trash/', 403],
    ['GET', '/api/v4/users/', 403],
    ['GET', '/api/v4/admin/health/', 403],
    ['POST', '/api/v4/collections/', 403],
  ] as const) {
    const answer = await ask(method, pathname, { as: 'viewer' })
    expect.soft(`${method} ${pathname} ${answer.status}`).toBe(`${method} ${pathname} ${status}`)
  }
  expect((await ask('DELETE', '/api/v4/trash/')).status, 'an editor does not delete for good').toBe(403)
})

test('a request that another site sends with the cookie of a user changes nothing', async ({ product, people }) => {
  const { cookie } = people.administrator
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, {}]) {
    const answer = await fetch(`${product.address}${assets}${ids[1]}/`, {
      method: 'DELETE',
      headers: { cookie: `${cookie.name}=${cookie.value}`, ...(headers as Record<string, string>) },
    })
    expect([answer.status, JSON.parse(await answer.text()).error.code]).toEqual([403, 'origin-rejected'])
  }
  expect((await ask('GET', `${assets}${ids[1]}/`)).status).toBe(200)
})

test('the log of one user is found with the runbook’s grep, in lines that parse', async ({ product, people }) => {
  const log = path.join(product.dataDir, 'logs/app.log')
  await ask('GET', `${assets}?search=log`, { as: 'viewer' })
  const lines = execFileSync('grep', [`user_id:${people.viewer.id}`, log], { encoding: 'utf8' })
    .trim()
    .split('\n')
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({
      level: expect.stringMatching(/^(DEBUG|INFO|WARN|ERROR)$/),
      user_id: people.viewer.id,
    })
  for (const line of product.log()) expect(() => JSON.parse(line) as unknown).not.toThrow()
  const secrets = product
    .log()
    .filter(
      (line) =>
        line.includes(people.viewer.token) ||
        line.includes(people.viewer.password) ||
        line.includes(people.viewer.cookie.value),
    )
  expect(secrets).toEqual([])
})

test('an error of the server is in app.log under ERROR and in error_log through the runbook’s psql line', async ({
  product,
  people,
}) => {
  const [id] = await upload(product.address, people.editor, [text('lost.txt', 'These bytes will vanish from the disk')])
  await untilIngested(people.editor)
  const sum = sha256(Buffer.from('These bytes will vanish from the disk'))
  const blob = path.join(product.dataDir, 'blobs', sum.slice(0, 2), sum.slice(2, 4), sum)
  execFileSync('rm', ['-f', blob])
  const answer = await ask('GET', `${assets}${id}/download/`)
  expect(answer.status).toBeGreaterThanOrEqual(500)
  expect(answer.json.detail).not.toContain(product.dataDir)
  const errors = execFileSync('grep', ['ERROR', path.join(product.dataDir, 'logs/app.log')], { encoding: 'utf8' })
  expect(errors).toContain(answer.json.error.request_id)
  const query = 'SELECT * FROM error_log ORDER BY timestamp DESC LIMIT 10;'
  await expect.poll(() => product.run('psql', '-c', query)).toContain(answer.json.error.request_id)
  if (spawnSync('psql', ['--version']).status !== 0) {
    console.log('psql is not installed: the runbook’s line was tried with ./dam psql only.')
    return
  }
  const script = path.join(product.dataDir, 'runbook.sh')
  writeFileSync(script, `${product.run('env')}\npsql -d dam_db -c "${query}"\n`)
  expect(execFileSync('sh', [script], { encoding: 'utf8' })).toContain(answer.json.error.request_id)
})

test('events are read after a position and streamed as they happen', async ({ product, people }) => {
  const before = (await ask('GET', '/api/v4/events/?after=0&limit=1000')).json
  const controller = new AbortController()
  const stream = await fetch(`${product.address}/api/v4/events/stream/?after=${before.last}`, {
    headers: { authorization: `Token ${people.viewer.token}` },
    signal: controller.signal,
  })
  expect(stream.headers.get('content-type')).toContain('text/event-stream')
  const [id] = await upload(product.address, people.editor, [text('event.txt', `Something happens ${randomUUID()}`)])
  let received = ''
  for await (const chunk of stream.body!) {
    received += Buffer.from(chunk).toString()
    if (received.includes('asset.ready')) break
  }
  controller.abort()
  expect(received).toMatch(/^id: ?\d+/m)
  const after = (await ask('GET', `/api/v4/events/?after=${before.last}`)).json
  expect(after.results.map((event: { kind: string; asset_id: number }) => `${event.kind} ${event.asset_id}`)).toEqual(
    expect.arrayContaining([`asset.created ${id}`, `asset.ready ${id}`]),
  )
})

test('the contract is served as OpenAPI and as a page that loads nothing from elsewhere', async () => {
  const schema = await ask('GET', '/api/v4/schema/', { as: null })
  expect(schema.json.openapi).toMatch(/^3\.1/)
  const described = Object.entries(schema.json.paths as Record<string, Record<string, unknown>>).flatMap(
    ([template, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${template}`),
  )
  for (const { method, path: template } of Object.values(routes))
    expect.soft(described).toContain(`${method} /api/v4${template}`)
  const page = await ask('GET', '/api/docs/', { as: null })
  expect(page.status).toBe(200)
  expect(page.text).not.toMatch(/(src|href)="https?:\/\/(?!localhost)/)
})

test('answers about assets are for their reader only, renditions may be kept by the browser', async () => {
  const list = await ask('GET', assets)
  expect(list.headers.get('cache-control')).toBe('private, no-store')
  const asset = list.json.results.find((each: { thumbnail_url: string | null }) => each.thumbnail_url)
  const thumbnail = await ask('GET', asset.thumbnail_url.slice(first.address.length))
  expect(thumbnail.headers.get('cache-control')).toMatch(/private.*max-age=\d{5,}.*immutable/)
  expect(thumbnail.headers.get('content-security-policy')).toContain('sandbox')
})
