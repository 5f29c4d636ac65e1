import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'

export const backupFiles = {
  dump: 'database.dump',
  /** One line of JSON {sha256, sizeBytes} for each original. */
  originals: 'blobs.jsonl',
  manifest: 'manifest.json',
  /** As `sha256sum` writes and checks it. */
  manifestChecksum: 'manifest.json.sha256',
} as const

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const manifestSchema = z.object({
  format: z.literal(1),
  id: z.string(),
  environment: z.string(),
  kind: z.string(),
  /** Tag or version of the application that ran. */
  release: z.string(),
  /** Newest applied migration of `backend`. */
  schemaNumber: z.number(),
  /** By the database's clock: what was committed before is in the backup. */
  snapshotAt: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  serverVersion: z.string(),
  /** Of the database on its disk, with indexes. */
  databaseBytes: z.number(),
  tables: z.array(
    z.object({ schema: z.string(), name: z.string(), rows: z.number(), bytes: z.number(), digest: z.string() }),
  ),
  originals: z.object({
    count: z.number(),
    bytes: z.number(),
    /** That the live store no longer had, or had damaged, when the backup was made. */
    missing: z.array(sha256),
    damaged: z.array(sha256),
  }),
  files: z.record(z.string(), z.object({ sha256, sizeBytes: z.number() })),
  tookMs: z.object({ database: z.number(), originals: z.number(), all: z.number() }),
})

export type Manifest = z.infer<typeof manifestSchema>

export const encodeManifest = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`

export const manifestChecksum = (text: string | Buffer): string =>
  `${createHash('sha256').update(text).digest('hex')}  ${backupFiles.manifest}\n`

/** Reads what a backup says about itself. Throws an Error that says what is wrong when it is not exactly what was written. */
export async function readManifest(folder: string): Promise<Manifest> {
  const read = (name: string) =>
    readFile(path.join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      throw new Error(
        error.code === 'ENOENT' ? `${name} is missing in ${folder}` : `${name} cannot be read: ${error.message}`,
        { cause: error },
      )
    })
  const [text, checksum] = [await read(backupFiles.manifest), await read(backupFiles.manifestChecksum)]
  if (checksum.toString('latin1') !== manifestChecksum(text))
    throw new Error(`${backupFiles.manifest} or its checksum was changed`)
  return manifestSchema.parse(JSON.parse(text.toString()))
}
