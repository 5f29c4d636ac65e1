import type { AssetSummary } from '@dam/contract'
import { raw, type Sql } from '@dam/platform/database'

/** Everything a list shows of one asset, narrow and without dates as objects: times are milliseconds since 1970. */
export type SummaryRow = {
  id: number
  revision: number
  label: string
  description: string
  filename: string
  size_bytes: number
  mime_type: string
  type: AssetSummary['type']
  added_ms: number
  modified_ms: number
  captured_ms: number | null
  width: number | null
  height: number | null
  duration_ms: number | null
  page_count: number | null
  animated: boolean
  placeholder: string | null
  colour: string | null
  sha256: string
  tags: string[]
  status: AssetSummary['status']
  status_reason: string | null
  preview_state: AssetSummary['preview_state']
  preview_reason: string | null
  preview_version: number
  trashed_ms: number | null
}

export type Owner = { owner_id: number | null; owner_username: string | null; owner_name: string | null }

const milliseconds = (column: string): string => `(extract(epoch from a.${column}) * 1000)::bigint`

/** Columns of `SummaryRow` from `asset a`. */
export const summaryColumns: Sql =
  raw(`a.id, a.revision, a.label, a.description, a.filename, a.size_bytes, a.mime_type, a.type,
  ${milliseconds('date_added')} as added_ms, ${milliseconds('date_modified')} as modified_ms, ${milliseconds('captured_at')} as captured_ms,
  a.width, a.height, a.duration_ms, a.page_count, a.animated, a.placeholder, a.colour, a.sha256, a.tags, a.status, a.status_reason,
  a.preview_state, a.preview_reason, a.preview_version, ${milliseconds('trashed_at')} as trashed_ms`)

/** Columns of `Owner` from `left join account o on o.id = a.owner_id`. */
export const ownerColumns: Sql = raw('a.owner_id, o.username as owner_username, o.display_name as owner_name')
