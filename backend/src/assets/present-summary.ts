import type { AssetSummary } from '@dam/contract'
import type { Owner, SummaryRow } from './asset-row.ts'

/** How a caller sees assets: the base of its links, and what it may do. */
export type View = { origin: string; accessLevel: AssetSummary['access_level'] }

type Links = Pick<AssetSummary, 'url' | 'thumbnail_url' | 'preview_url' | 'download_url'>
type Content = Omit<AssetSummary, keyof Links | 'owner' | 'access_level'>

const time = (ms: number): string => new Date(ms).toISOString()
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : time(ms))

/** Address of a rendition; changes when the picture does, so it may be cached for ever. */
export const renditionUrl = (origin: string, id: number, preset: string, version: number): string =>
  `${origin}/api/v4/dam/assets/${id}/renditions/${preset}/?v=${version}`

function linksOf(row: Pick<SummaryRow, 'id' | 'preview_state' | 'preview_version'>, origin: string): Links {
  const url = `${origin}/api/v4/dam/assets/${row.id}/`
  const ready = row.preview_state === 'ready'
  return {
    url,
    thumbnail_url: ready ? renditionUrl(origin, row.id, 'thumbnail', row.preview_version) : null,
    preview_url: ready ? renditionUrl(origin, row.id, 'preview', row.preview_version) : null,
    download_url: `${url}download/`,
  }
}

const contentOf = (row: SummaryRow): Content => ({
  id: row.id,
  label: row.label,
  description: row.description,
  filename: row.filename,
  size: row.size_bytes,
  mime_type: row.mime_type,
  type: row.type,
  date_added: time(row.added_ms),
  date_modified: time(row.modified_ms),
  captured_at: timeOrNull(row.captured_ms),
  width: row.width,
  height: row.height,
  duration: row.duration_ms === null ? null : row.duration_ms / 1000,
  page_count: row.page_count,
  animated: row.animated,
  placeholder: row.placeholder,
  colour: row.colour,
  checksum: row.sha256,
  tags: row.tags,
  status: row.status,
  status_reason: row.status_reason,
  preview_state: row.preview_state,
  preview_reason: row.preview_reason,
  versions: 1,
  trashed_at: timeOrNull(row.trashed_ms),
})

const ownerOf = (owner: Owner): AssetSummary['owner'] =>
  owner.owner_id === null
    ? null
    : { id: owner.owner_id, username: owner.owner_username ?? '', display_name: owner.owner_name ?? '' }

/** One asset as the contract's summary. */
export const presentSummary = (row: SummaryRow & Owner, view: View): AssetSummary => ({
  ...contentOf(row),
  ...linksOf(row, view.origin),
  owner: ownerOf(row),
  access_level: view.accessLevel,
})

/** The part of a summary's JSON that is the same for every caller until the asset's revision changes. */
export type Prepared = Pick<SummaryRow, 'id' | 'revision' | 'preview_state' | 'preview_version'> & { content: string }

export const prepareSummary = (row: SummaryRow): Prepared => ({
  id: row.id,
  revision: row.revision,
  preview_state: row.preview_state,
  preview_version: row.preview_version,
  content: JSON.stringify(contentOf(row)).slice(1),
})

/** `JSON.stringify(presentSummary(...))` but for the order of keys, from a part prepared earlier. `origin` needs no escaping in JSON. */
export function summaryText(prepared: Prepared, owner: Owner, view: View): string {
  const { url, thumbnail_url, preview_url, download_url } = linksOf(prepared, view.origin)
  const quote = (text: string | null): string => (text === null ? 'null' : `"${text}"`)
  return `{"url":"${url}","thumbnail_url":${quote(thumbnail_url)},"preview_url":${quote(preview_url)},"download_url":"${download_url}","access_level":"${view.accessLevel}","owner":${JSON.stringify(ownerOf(owner))},${prepared.content}`
}
