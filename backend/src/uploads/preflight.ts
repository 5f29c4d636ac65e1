import { pathOf } from '@dam/contract'
import { sql, type Querier } from '@dam/platform/database'
import { visibleAssets, type Principal } from '../people/access.ts'

export type KnownFile = {
  checksum: string
  duplicate: { id: number; label: string; filename: string; thumbnail_url: string | null } | null
}

/** For each file the oldest asset with the same bytes that the caller may see. What they may not see does not count as here. */
export async function findKnownFiles(
  querier: Querier,
  principal: Principal,
  files: readonly { checksum: string; size: number }[],
  origin: string,
): Promise<KnownFile[]> {
  const rows = await querier.rows<{
    sha256: string
    size: number
    id: number
    label: string
    filename: string
    version: number
    hasThumbnail: boolean
  }>(sql`
    select distinct on (a.sha256) a.sha256, a.size_bytes as size, a.id, a.label, a.filename, a.preview_version as version, a.preview_state = 'ready' as "hasThumbnail"
    from asset a where a.sha256 = any(${files.map((file) => file.checksum)}) and ${visibleAssets(principal)}
    order by a.sha256, a.id`)
  const known = new Map(rows.map((row) => [row.sha256, row]))
  return files.map(({ checksum, size }) => {
    const found = known.get(checksum)
    if (!found || found.size !== size) return { checksum, duplicate: null }
    const { id, label, filename, hasThumbnail, version } = found
    return {
      checksum,
      duplicate: {
        id,
        label,
        filename,
        thumbnail_url: hasThumbnail
          ? origin + pathOf('getRendition', { id, preset: 'thumbnail' }, { v: version })
          : null,
      },
    }
  })
}
