import { Problem } from '@dam/contract'
import { sql, type Querier } from '@dam/platform/database'
import { cleanFilename } from './file-name.ts'

/** What a client says about a file, as far as it is believed: its media type is not. */
export type Description = {
  filename: string
  relativePath: string
  collectionId: number | null
  declaredSha256: string | null
}

export function describe(input: {
  filename?: string | undefined
  relativePath?: string | undefined
  collection?: string | number | undefined
  checksum?: string | undefined
}): Description {
  const relativePath = (input.relativePath ?? '').replaceAll('\0', '').slice(0, 8_000).toWellFormed()
  const filename = cleanFilename(input.filename ?? relativePath)
  const collection = input.collection === undefined || input.collection === '' ? null : Number(input.collection)
  if (collection !== null && (!Number.isSafeInteger(collection) || collection < 1)) {
    throw new Problem('invalid-request', 'collection takes the id of a collection.', {
      fields: { collection: ['Give the id of a collection.'] },
    })
  }
  const checksum = input.checksum?.toLowerCase()
  if (checksum !== undefined && !/^[0-9a-f]{64}$/.test(checksum)) {
    throw new Problem('invalid-request', 'checksum takes the SHA-256 of the file in hexadecimal.', {
      fields: { checksum: ['Give 64 hexadecimal digits.'] },
    })
  }
  return { filename, relativePath, collectionId: collection, declaredSha256: checksum ?? null }
}

export async function demandCollection(querier: Querier, id: number | null): Promise<void> {
  if (id === null) return
  const row = await querier.row(sql`select id from collection where id = ${id}`)
  if (!row) throw new Problem('collection-not-found', 'There is no such collection.')
}

export function demandSize(bytes: number, uploadMaxBytes: number): void {
  if (bytes <= uploadMaxBytes) return
  throw new Problem('payload-too-large', `The file has ${bytes} bytes; this server accepts up to ${uploadMaxBytes}.`, {
    details: { max_bytes: uploadMaxBytes },
  })
}
