import type { AssetSummary } from '@dam/contract/types'

const dateOf = (asset: AssetSummary): string => asset.captured_at ?? asset.date_added
const enoughPerMonth = 5

/** Headings by month, or by year where months would hold only a few pictures each. Only for the order by capture date. */
export function sectionHeadings(
  assets: readonly AssetSummary[],
  sort: string,
  labelOf: (period: string) => string,
): Map<number, string> {
  const headings = new Map<number, string>()
  if (sort !== 'date' && sort !== '-date') return headings
  const sample = assets.slice(0, 200)
  const months = new Set(sample.map((asset) => dateOf(asset).slice(0, 7)))
  const length = sample.length / Math.max(1, months.size) >= enoughPerMonth ? 7 : 4
  let last = ''
  for (const [index, asset] of assets.entries()) {
    const period = dateOf(asset).slice(0, length)
    if (period === last) continue
    last = period
    headings.set(index, labelOf(period))
  }
  return headings
}
