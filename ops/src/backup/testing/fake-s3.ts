import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Stored = { bytes: Buffer; checksum: string; sha256: string | undefined }

export type FakeS3 = AsyncDisposable & {
  address: string
  objects: Map<string, Stored>
  /** Method and key of each request that was carried out. */
  carriedOut: string[]
  refused: number
  /** Asked for each request; what it returns happens instead. */
  trouble: (method: string, key: string) => 'slow down' | 'cut' | 'damage' | null
}

/** A server that speaks S3's wire format as far as backups need it, and refuses what is not signed or has another checksum than its bytes. */
export async function fakeS3(): Promise<FakeS3> {
  const uploads = new Map<string, Map<number, Buffer>>()
  const fake: Omit<FakeS3, 'address' | typeof Symbol.asyncDispose> = {
    objects: new Map(),
    carriedOut: [],
    refused: 0,
    trouble: () => null,
  }
  const server = createServer((request, response) => void answer(request, response))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const url = new URL(request.url ?? '', 'http://localhost')
    const [, bucket, ...rest] = url.pathname.split('/').map(decodeURIComponent)
    const key = rest.join('/')
    const method = request.method ?? ''
    const refuse = (status: number, code: string) => {
      fake.refused++
      response
        .writeHead(status, { 'content-type': 'application/xml' })
        .end(
          method === 'HEAD'
            ? undefined
            : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
        )
    }
    const xml = (text: string) =>
      response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${text}`)
    const trouble = fake.trouble(method, key)
    if (trouble === 'slow down') return refuse(503, 'SlowDown')
    if (
      !/^AWS4-HMAC-SHA256 Credential=key\/\d{8}\/eu-test-1\/s3\/aws4_request, SignedHeaders=[\w;-]+, Signature=[0-9a-f]{64}$/.test(
        request.headers.authorization ?? '',
      )
    )
      return refuse(403, 'SignatureDoesNotMatch')
    if (bucket !== 'bucket') return refuse(404, 'NoSuchBucket')
    const sum = createHash('sha256').update(body).digest()
    const uploadId = url.searchParams.get('uploadId')
    if (method === 'PUT') {
      // Only what states the checksum of its bytes is taken, as a bucket policy can demand.
      if (
        request.headers['x-amz-content-sha256'] !== sum.toString('hex') ||
        request.headers['x-amz-checksum-sha256'] !== sum.toString('base64')
      )
        return refuse(400, 'BadDigest')
      fake.carriedOut.push(`PUT ${key}`)
      if (uploadId) uploads.get(uploadId)?.set(Number(url.searchParams.get('partNumber')), body)
      else store(key, body, sum.toString('base64'), request.headers['x-amz-meta-sha256'])
      return void response.writeHead(200, { etag: '"e"' }).end()
    }
    if (method === 'POST' && url.searchParams.has('uploads')) {
      const id = `upload-${uploads.size}#${String(request.headers['x-amz-meta-sha256'])}`
      uploads.set(id, new Map())
      return void xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
    }
    if (method === 'POST' && uploadId) {
      const parts = [...(uploads.get(uploadId) ?? [])].toSorted(([a], [b]) => a - b).map(([, part]) => part)
      if (parts.some((part, index) => index < parts.length - 1 && part.length < 5 * 1024 * 1024))
        return refuse(400, 'EntityTooSmall')
      const sums = Buffer.concat(parts.map((part) => createHash('sha256').update(part).digest()))
      store(
        key,
        Buffer.concat(parts),
        `${createHash('sha256').update(sums).digest('base64')}-${parts.length}`,
        uploadId.split('#')[1],
      )
      return void xml('<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>')
    }
    if (method === 'DELETE') return void response.writeHead(204).end()
    if (key === '') {
      const wanted = url.searchParams.get('prefix') ?? ''
      const keys = [...fake.objects.keys()].filter((name) => name.startsWith(wanted))
      return void xml(
        `<ListBucketResult><IsTruncated>false</IsTruncated>${keys.map((name) => `<Contents><Key>${name}</Key></Contents>`).join('')}</ListBucketResult>`,
      )
    }
    const found = fake.objects.get(key)
    if (!found) return refuse(404, 'NoSuchKey')
    response.writeHead(200, {
      'content-length': found.bytes.length,
      'x-amz-checksum-sha256': found.checksum,
      ...(found.sha256 ? { 'x-amz-meta-sha256': found.sha256 } : {}),
    })
    if (method === 'HEAD') return void response.end()
    fake.carriedOut.push(`GET ${key}`)
    if (trouble !== 'cut') return void response.end(found.bytes)
    response.write(found.bytes.subarray(0, found.bytes.length / 2))
    setTimeout(() => response.destroy(), 20)
  }

  function store(key: string, bytes: Buffer, checksum: string, sha256: string | string[] | undefined): void {
    const kept = fake.trouble('STORE', key) === 'damage' ? bytes.subarray(1) : bytes
    fake.objects.set(key, { bytes: kept, checksum, sha256: Array.isArray(sha256) ? sha256[0] : sha256 })
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(fake, {
    address: `s3://bucket/dam/backups?endpoint=${encodeURIComponent(endpoint)}&region=eu-test-1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}
