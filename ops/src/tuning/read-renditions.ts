import type { ReadOnlySession } from '../diagnosis/probes/database-session.ts'

export type RenditionFigures = {
  presets: { preset: string; mimeType: string; count: number; meanBytes: number; width: number }[]
  /** Assets whose preview is done, and those of them without any rendition. */
  ready: number
  readyWithout: number
}

export async function readRenditions(session: ReadOnlySession): Promise<RenditionFigures> {
  const presets = await session.rows<RenditionFigures['presets'][number]>(
    `select preset, mime_type as "mimeType", count(*)::float8 as count, avg(size_bytes)::float8 as "meanBytes", max(width)::float8 as width
     from rendition group by 1, 2 order by 1, 2`,
  )
  const [assets] = await session.rows<{ ready: number; without: number }>(
    `select count(*)::float8 as ready, count(*) filter (where not exists (select from rendition r where r.sha256 = a.sha256))::float8 as without
     from asset a where preview_state = 'ready' and trashed_at is null`,
  )
  return { presets, ready: assets?.ready ?? 0, readyWithout: assets?.without ?? 0 }
}
