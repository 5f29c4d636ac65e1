import { Upload } from 'tus-js-client'
import type { Client } from './http-client.ts'

/** Uploads one file and resolves with the milliseconds until it was acknowledged whole. */
export type UploadOne = (file: { name: string; bytes: Buffer }) => Promise<number>

/** tus, creation with upload: one POST that carries the bytes. */
export const uploadInOneRequest =
  (client: Client, path = '/api/v4/uploads/'): UploadOne =>
  async ({ name, bytes }) => {
    const answer = await client.send('POST', path, {
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': String(bytes.length),
        'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
        'content-type': 'application/offset+octet-stream',
      },
      body: bytes,
    })
    if (answer.status !== 201 || Number(answer.headers['upload-offset']) !== bytes.length) {
      throw new Error(
        `upload of ${name}: ${answer.status}, offset ${String(answer.headers['upload-offset'])} of ${bytes.length}. ${answer.body.toString().slice(0, 300)}`,
      )
    }
    return answer.ms
  }

/** tus as tus-js-client does it by itself: POST, then PATCH. */
export const uploadWithTusClient =
  (client: Client): UploadOne =>
  ({ name, bytes }) =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now()
      new Upload(bytes, {
        endpoint: `${client.origin}/api/v4/uploads/`,
        headers: { authorization: client.authorization },
        metadata: { filename: name },
        retryDelays: null,
        onSuccess: () => resolve(performance.now() - startedAt),
        onError: reject,
      }).start()
    })

/** Does `work` on every item, `atOnce` at a time; results in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as T, index)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane))
  return results
}
