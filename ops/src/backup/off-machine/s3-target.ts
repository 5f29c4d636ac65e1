import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEnv } from 'node:util'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { isBackupId } from '../backup-folder.ts'
import { backupFiles } from '../manifest.ts'
import type { Sent, Target, Transfer } from './target.ts'

const partBytes = 16 * 1024 * 1024
const fetchAttempts = 6

/**
 * S3 or what speaks like it. Each part travels with its SHA-256, which the server compares; afterwards the server is asked what it holds.
 * A slow-down or a broken connection is repeated with growing, jittered pauses.
 */
export function s3Target(address: string, shell: Readonly<Record<string, string | undefined>>): Target {
  const { bucket, prefix, client } = connect(address, shell)
  const keyOf = (key: string) => (prefix === '' ? key : `${prefix}/${key}`)
  const head = async (key: string): Promise<HeadObjectCommandOutput | null> => {
    try {
      return await client.send(new HeadObjectCommand({ Bucket: bucket, Key: keyOf(key), ChecksumMode: 'ENABLED' }))
    } catch (error) {
      if (error instanceof Error && (error.name === 'NotFound' || error.name === 'NoSuchKey')) return null
      throw error
    }
  }
  return {
    name: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`,
    send: async (root, transfers, { signal, onBytes }) => {
      const sent: Sent = { files: 0, bytes: 0, alreadyThere: 0 }
      for (const transfer of transfers) {
        signal?.throwIfAborted()
        const there = await head(transfer.key)
        if (there && isSame(there, transfer)) sent.alreadyThere++
        else {
          await using file = await open(path.join(root, transfer.key), 'r')
          const checksum = await upload(client, {
            Bucket: bucket,
            Key: keyOf(transfer.key),
            file,
            transfer,
            ...(signal ? { signal } : {}),
          })
          const arrived = await head(transfer.key)
          if (
            arrived?.ContentLength !== transfer.sizeBytes ||
            (arrived.ChecksumSHA256 !== undefined && arrived.ChecksumSHA256 !== checksum)
          )
            throw new Error(
              `${transfer.key} did not arrive whole at ${bucket}: ${arrived ? 'its size or checksum is another' : 'it is not there'}. Send it again.`,
            )
          sent.files++
          sent.bytes += transfer.sizeBytes
        }
        onBytes?.(transfer.key, transfer.sizeBytes)
      }
      return sent
    },
    fetch: async (root, keys, { signal, onBytes }) => {
      for (const key of keys) {
        signal?.throwIfAborted()
        // Not inside the call: an optional call that is not made does not evaluate its arguments.
        const bytes = await download(client, { Bucket: bucket, Key: keyOf(key) }, path.join(root, key))
        onBytes?.(key, bytes)
      }
    },
    list: async () => {
      const ids: string[] = []
      const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix === '' ? '' : `${prefix}/` })
      for await (const page of pages)
        for (const { Key = '' } of page.Contents ?? []) {
          const [id = '', name, ...rest] = Key.slice(prefix === '' ? 0 : prefix.length + 1).split('/')
          if (name === backupFiles.manifest && rest.length === 0 && isBackupId(id)) ids.push(id)
        }
      return ids.toSorted()
    },
  }
}

/** By what the server computed itself; where it computes a sum over parts, by what it was told when those were accepted. */
const isSame = (there: HeadObjectCommandOutput, { sha256, sizeBytes }: Transfer): boolean =>
  there.ContentLength === sizeBytes &&
  (there.ChecksumSHA256 === base64(sha256) || there.Metadata?.['sha256'] === sha256)

const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')
const sha256Of = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()

type Upload = { Bucket: string; Key: string; file: FileHandle; transfer: Transfer; signal?: AbortSignal }

/** Resolves with the checksum that the server must state for the object. */
async function upload(client: S3Client, { Bucket, Key, file, transfer, signal }: Upload): Promise<string> {
  const Metadata = { sha256: transfer.sha256 }
  const more = signal ? { abortSignal: signal } : {}
  if (transfer.sizeBytes <= partBytes) {
    const Body = await readPart(file, 0, transfer.sizeBytes)
    if (!sha256Of(Body).equals(Buffer.from(transfer.sha256, 'hex')))
      throw new Error(`${transfer.key} is damaged here and was not sent.`)
    await client.send(
      new PutObjectCommand({ Bucket, Key, Body, Metadata, ChecksumSHA256: base64(transfer.sha256) }),
      more,
    )
    return base64(transfer.sha256)
  }
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, Metadata, ChecksumAlgorithm: 'SHA256' }),
    more,
  )
  try {
    const parts: { PartNumber: number; ETag?: string; ChecksumSHA256: string }[] = []
    const whole = createHash('sha256')
    for (let at = 0; at < transfer.sizeBytes; at += partBytes) {
      const Body = await readPart(file, at, Math.min(partBytes, transfer.sizeBytes - at))
      whole.update(Body)
      const [PartNumber, ChecksumSHA256] = [parts.length + 1, sha256Of(Body).toString('base64')]
      const { ETag } = await client.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumSHA256 }),
        more,
      )
      parts.push({ PartNumber, ChecksumSHA256, ...(ETag === undefined ? {} : { ETag }) })
    }
    if (whole.digest('hex') !== transfer.sha256) throw new Error(`${transfer.key} is damaged here and was not sent.`)
    await client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: parts } }),
      more,
    )
    const sums = Buffer.concat(parts.map(({ ChecksumSHA256 }) => Buffer.from(ChecksumSHA256, 'base64')))
    return `${sha256Of(sums).toString('base64')}-${parts.length}`
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined)
    throw error
  }
}

async function readPart(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const part = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(part, done, length - done, at + done)
    if (bytesRead === 0) throw new Error('A file of the backup became shorter while it was sent.')
    done += bytesRead
  }
  return part
}

/** The client repeats a request that fails; a body that breaks off is repeated here. */
async function download(client: S3Client, object: { Bucket: string; Key: string }, target: string): Promise<number> {
  await mkdir(path.dirname(target), { recursive: true, mode: 0o700 })
  for (let attempt = 1; ; attempt++) {
    try {
      const { Body, ContentLength = -1 } = await client.send(new GetObjectCommand(object))
      await using handle = await open(target, 'w', 0o600)
      let bytes = 0
      await pipeline(Body as AsyncIterable<Uint8Array>, async (chunks: AsyncIterable<Uint8Array>) => {
        for await (const chunk of chunks) bytes += (await handle.write(chunk, 0, chunk.length, bytes)).bytesWritten
      })
      if (bytes !== ContentLength) throw new Error(`${object.Key} broke off after ${bytes} of ${ContentLength} bytes`)
      await handle.sync()
      return bytes
    } catch (error) {
      const isFinal = error instanceof Error && ['NoSuchKey', 'AccessDenied', 'NoSuchBucket'].includes(error.name)
      if (isFinal || attempt === fetchAttempts) throw error
      await sleep(100 * 2 ** attempt * (0.5 + Math.random()))
    }
  }
}

function connect(address: string, shell: Readonly<Record<string, string | undefined>>) {
  const url = new URL(address)
  if (url.username !== '' || url.password !== '')
    throw new Error(
      'Secrets do not belong in the address of a bucket. Put AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY into the environment or a file: ?credentials=file:/path',
    )
  const reference = url.searchParams.get('credentials') ?? 'env'
  const from = reference.startsWith('file:') ? parseEnv(readFileSync(reference.slice('file:'.length), 'utf8')) : shell
  const [accessKeyId, secretAccessKey] = [from['AWS_ACCESS_KEY_ID'], from['AWS_SECRET_ACCESS_KEY']]
  if (!accessKeyId || !secretAccessKey)
    throw new Error(
      `AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not in ${reference.startsWith('file:') ? reference.slice('file:'.length) : 'the environment'}.`,
    )
  const endpoint = url.searchParams.get('endpoint')
  const client = new S3Client({
    region: url.searchParams.get('region') ?? 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    maxAttempts: 8,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  return { client, bucket: url.hostname, prefix: url.pathname.replaceAll(/^\/+|\/+$/g, '') }
}
