import type { AssetType, EmbeddedMetadata, StageName } from '@dam/contract'
import { join, sql, type Querier, type Transaction } from '@dam/platform/database'
import { ensureTags } from '../tags/tag-store.ts'
import type { Measures, RawTags } from './types.ts'

export type IngestAsset = {
  id: number
  sha256: string
  filename: string
  mimeType: string
  type: AssetType
  width: number | null
  height: number | null
  durationMs: number | null
  raw: RawTags | null
}

export const findIngestAsset = (querier: Querier, assetId: number): Promise<IngestAsset | undefined> =>
  querier.row<IngestAsset>(sql`
    select a.id, a.sha256, a.filename, a.mime_type as "mimeType", a.type, a.width, a.height, a.duration_ms as "durationMs", e.raw
    from asset a left join asset_embedded e on e.asset_id = a.id where a.id = ${assetId}`)

export type StageRow = {
  stage: StageName
  attempt: number
  startedAt: Date
  endedAt: Date
  outcome: 'done' | 'skipped' | 'unavailable' | 'refused' | 'failed'
  error: string | null
  detail: Record<string, unknown>
}

/** The flight recorder: what each stage of one run did. */
export async function saveStages(
  querier: Querier,
  assetId: number,
  worker: string,
  stages: readonly StageRow[],
): Promise<void> {
  if (stages.length === 0) return
  const rows = stages.map(
    (s) =>
      sql`(${assetId}::bigint, ${s.stage}, ${s.attempt}::integer, ${s.startedAt}::timestamptz, ${s.endedAt}::timestamptz, ${s.outcome}, ${s.error}, ${worker}, ${JSON.stringify(s.detail)}::jsonb)`,
  )
  await querier.run(sql`
    insert into ingest_stage (asset_id, stage, attempt, started_at, ended_at, outcome, error, worker, detail) values ${join(rows)}`)
}

/** What a run found out. A part that is missing was not looked at in this run and stays as it is. */
export type Findings = {
  identity?: { mimeType: string; type: AssetType }
  metadata?: { fields: EmbeddedMetadata; raw: RawTags; capturedAt: { iso: string; offset: string | null } | null }
  measures: Measures
  preview?: {
    state: 'ready' | 'unavailable' | 'failed' | 'refused'
    reason: string | null
    placeholder?: string
    colour?: string
  }
  status?: { is: 'ready' | 'failed'; reason: string | null }
}

/**
 * Writes the findings to the asset, in one statement. Embedded title and description fill what no person has written; embedded
 * keywords become tags the first time the file is read. False when the asset is gone.
 */
export async function saveFindings(tx: Transaction, assetId: number, found: Findings): Promise<boolean> {
  const { identity, metadata, measures, preview } = found
  const fields = metadata?.fields
  const tags = fields?.keywords?.length ? await ensureTags(tx, fields.keywords) : []
  const changes = [
    sql`width = coalesce(${measures.width ?? null}::integer, width), height = coalesce(${measures.height ?? null}::integer, height)`,
    sql`duration_ms = coalesce(${measures.durationMs ?? null}::bigint, duration_ms), page_count = coalesce(${measures.pageCount ?? null}::integer, page_count)`,
  ]
  if (found.status) changes.push(sql`status = ${found.status.is}, status_reason = ${found.status.reason}`)
  if (measures.animated !== undefined) changes.push(sql`animated = ${measures.animated}`)
  if (identity) changes.push(sql`mime_type = ${identity.mimeType}, type = ${identity.type}`)
  if (metadata) {
    const captured = metadata.capturedAt
    changes.push(
      sql`captured_at = ${captured?.iso ?? null}::timestamptz, captured_offset = ${captured?.offset ?? null}, sort_date = coalesce(${captured?.iso ?? null}::timestamptz, date_added)`,
    )
    if (fields?.title) changes.push(sql`label = case when label_edited then label else ${fields.title} end`)
    if (fields?.description)
      changes.push(sql`description = case when description_edited then description else ${fields.description} end`)
    if (tags.length > 0) {
      changes.push(
        sql`tags = case when tags = '{}' and not exists (select from asset_embedded where asset_id = asset.id) then ${tags}::text[] else tags end`,
      )
    }
  }
  if (preview) {
    changes.push(sql`preview_state = ${preview.state}, preview_reason = ${preview.reason}`)
    if (preview.state === 'ready') {
      changes.push(
        sql`preview_version = preview_version + 1, placeholder = ${preview.placeholder ?? null}, colour = ${preview.colour ?? null}`,
      )
    }
  }
  const updated = await tx.run(sql`update asset set ${join(changes)} where id = ${assetId}`)
  if (updated === 0) return false
  if (metadata) {
    await tx.run(sql`
      insert into asset_embedded (asset_id, fields, raw) values (${assetId}, ${JSON.stringify(metadata.fields)}::jsonb, ${JSON.stringify(metadata.raw)}::jsonb)
      on conflict (asset_id) do update set fields = excluded.fields, raw = excluded.raw`)
  }
  return true
}

/** Assets whose newest preview run ended for want of this capability. */
export const findUnavailableFor = async (querier: Querier, capability: string): Promise<number[]> => {
  const rows = await querier.rows<{ id: number }>(sql`
    select a.id from asset a
    cross join lateral (select detail from ingest_stage where asset_id = a.id and stage = 'previews' order by id desc limit 1) last
    where a.preview_state = 'unavailable' and last.detail ->> 'capability' = ${capability}
    order by a.id`)
  return rows.map(({ id }) => id)
}

/** Assets that still wait although no job will come for them: their job used up its attempts when a worker died in it. */
export const findAbandoned = async (querier: Querier): Promise<number[]> => {
  const rows = await querier.rows<{ id: number }>(sql`
    select a.id from asset a where a.status = 'processing' and exists (
      select from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
      where t.identifier = 'ingest' and (j.payload ->> 'assetId')::bigint = a.id)
    and not exists (
      select from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
      where t.identifier = 'ingest' and (j.payload ->> 'assetId')::bigint = a.id and (j.attempts < j.max_attempts or j.locked_at is not null))`)
  return rows.map(({ id }) => id)
}
