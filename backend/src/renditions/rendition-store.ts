import { join, sql, type Querier } from '@dam/platform/database'
import type { Preset } from '@dam/contract'

export type Rendition = {
  sha256: string
  preset: Preset
  version: number
  /** Path below the renditions folder. */
  file: string
  mimeType: string
  width: number
  height: number
  sizeBytes: number
}

/** Remembers finished files; one row for each original and preset. */
export async function saveRenditions(querier: Querier, renditions: readonly Rendition[]): Promise<void> {
  if (renditions.length === 0) return
  const rows = renditions.map(
    (r) =>
      sql`(${r.sha256}, ${r.preset}, ${r.version}::integer, ${r.file}, ${r.mimeType}, ${r.width}::integer, ${r.height}::integer, ${r.sizeBytes}::bigint)`,
  )
  await querier.run(sql`
    insert into rendition (sha256, preset, version, file, mime_type, width, height, size_bytes) values ${join(rows)}
    on conflict (sha256, preset) do update set version = excluded.version, file = excluded.file, mime_type = excluded.mime_type,
      width = excluded.width, height = excluded.height, size_bytes = excluded.size_bytes, created_at = now()`)
}
