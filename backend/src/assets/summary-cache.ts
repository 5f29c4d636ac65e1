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

export function createSummaryCache(
  onRead: (hits: number, misses: number) => void = () => undefined,
  maxEntries = 10_000,
): SummaryCache {
  const entries = new Map<number, Prepared>()

  const load = async (querier: Querier, ids: readonly number[]): Promise<Map<number, Prepared>> => {
    const rows = await querier.prepared<SummaryRow>('asset summaries', summariesText, [ids])
    const loaded = new Map(rows.map((row) => [row.id, prepareSummary(row)]))
    for (const [id, entry] of loaded) {
      entries.delete(id)
      entries.set(id, entry)
    }
    return loaded
  }
  const trim = () => {
    for (const id of entries.keys()) {
      if (entries.size <= maxEntries) return
      entries.delete(id)
    }
  }

  return {
    arrayText: async (querier, rows, view) => {
      // Kept here, because what others read meanwhile may push it out of the memory.
      const known = rows.map(({ id, revision }) => {
        const entry = entries.get(id)
        return entry === undefined || entry.revision < revision ? undefined : entry
      })
      const missing = rows.flatMap(({ id }, index) => (known[index] === undefined ? [id] : []))
      if (rows.length > 0) onRead(rows.length - missing.length, missing.length)
      const loaded = missing.length > 0 ? await load(querier, missing) : undefined
      let text = '['
      for (const [index, row] of rows.entries()) {
        const entry = known[index] ?? loaded?.get(row.id)
        if (entry === undefined) continue
        text += text.length === 1 ? summaryText(entry, row, view) : `,${summaryText(entry, row, view)}`
      }
      trim()
      return `${text}]`
    },
  }
}

const summariesText = `select ${summaryColumns.text} from asset a where a.id = any($1::bigint[])`
