import type { Querier } from '@dam/platform/database'
import { summaryColumns, type Owner, type SummaryRow } from './asset-row.ts'
import { prepareSummary, summaryText, type Prepared, type View } from './present-summary.ts'

/** What a list statement returns for each row; the rest comes from the cache unless the revision has moved on. */
export type ListedRow = Owner & { id: number; revision: number }

/** Keeps the JSON of assets that lists have shown. Never stale: the database says with every list which revision is current. */
export type SummaryCache = {
  /** The rows as a JSON array, in their order. A row that was deleted since it was listed is left out. */
  arrayText(querier: Querier, rows: readonly ListedRow[], view: View): Promise<string>
}

export function createSummaryCache(onRead: (hits: number, misses: number) => void = () => undefined, maxEntries = 10_000): SummaryCache {
  const entries = new Map<number, Prepared>()

  const load = async (querier: Querier, ids: readonly number[]): Promise<void> => {
    const rows = await querier.prepared<SummaryRow>('asset summaries', summariesText, [ids])
    for (const row of rows) {
      entries.delete(row.id)
      entries.set(row.id, prepareSummary(row))
    }
  }
  const trim = () => {
    for (const id of entries.keys()) {
      if (entries.size <= maxEntries) return
      entries.delete(id)
    }
  }

  return {
    arrayText: async (querier, rows, view) => {
      const missing: number[] = []
      for (const row of rows) {
        const entry = entries.get(row.id)
        if (entry === undefined || entry.revision < row.revision) missing.push(row.id)
      }
      if (rows.length > 0) onRead(rows.length - missing.length, missing.length)
      if (missing.length > 0) await load(querier, missing)
      let text = '['
      for (const row of rows) {
        const entry = entries.get(row.id)
        if (entry === undefined || entry.revision < row.revision) continue
        text += text.length === 1 ? summaryText(entry, row, view) : `,${summaryText(entry, row, view)}`
      }
      trim()
      return `${text}]`
    },
  }
}

const summariesText = `select ${summaryColumns.text} from asset a where a.id = any($1::bigint[])`
