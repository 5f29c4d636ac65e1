export type LayoutOptions = {
  /** Inner width of the grid, px. */
  width: number
  /** Height rows aim at, px. */
  targetHeight: number
  gap: number
  /** Height of a heading row, px. */
  headingHeight: number
}

export type PictureRow = { kind: 'pictures'; top: number; height: number; start: number; end: number; widths: number[] }
export type HeadingRow = { kind: 'heading'; top: number; height: number; start: number; label: string; count: number }
export type Row = PictureRow | HeadingRow
export type Layout = { rows: Row[]; height: number }

const narrowest = 0.5
const widest = 3.2

/** Width over height a card is given. Panoramas and scrolls are cut to what a row can carry; unknown sizes are 4:3. */
export function cardAspect(width: number | null, height: number | null): number {
  if (!width || !height) return 4 / 3
  return Math.min(widest, Math.max(narrowest, width / height))
}

/**
 * Fills rows so that each but the last of a section is exactly `width` wide. A row ends where its height is nearest to
 * the target. `headings` maps the index of a section's first asset to its label.
 */
export function justify(
  aspects: readonly number[],
  options: LayoutOptions,
  headings: ReadonlyMap<number, string> = new Map(),
): Layout {
  const { width, targetHeight, gap, headingHeight } = options
  const rows: Row[] = []
  let top = 0
  let start = 0
  let sum = 0
  let heading: HeadingRow | null = null

  const heightOf = (aspectSum: number, count: number): number => (width - gap * (count - 1)) / aspectSum
  const close = (end: number, stretched: boolean): void => {
    if (end <= start) return
    const natural = heightOf(sum, end - start)
    const height = Math.round(stretched ? natural : Math.min(natural, targetHeight))
    const widths: number[] = []
    let used = 0
    for (let index = start; index < end; index += 1) {
      const isLast = index === end - 1
      const exact = aspects[index]! * (stretched ? natural : height)
      const cardWidth = stretched && isLast ? width - used : Math.min(Math.floor(exact), width)
      widths.push(cardWidth)
      used += cardWidth + gap
    }
    rows.push({ kind: 'pictures', top, height, start, end, widths })
    top += height + gap
    start = end
    sum = 0
  }

  for (let index = 0; index < aspects.length; index += 1) {
    const label = headings.get(index)
    if (label !== undefined) {
      close(index, false)
      heading = { kind: 'heading', top, height: headingHeight, start: index, label, count: 0 }
      rows.push(heading)
      top += headingHeight
    }
    if (heading) heading.count += 1
    const aspect = aspects[index]!
    const before = sum
    sum += aspect
    const count = index - start + 1
    const height = heightOf(sum, count)
    if (height > targetHeight) continue
    const without = count > 1 ? heightOf(before, count - 1) : Number.POSITIVE_INFINITY
    if (without - targetHeight < targetHeight - height && without < targetHeight * 1.6) {
      sum = before
      close(index, true)
      sum = aspect
    } else close(index + 1, true)
    // A card wider than the grid is a row of its own.
    if (index >= start && heightOf(sum, 1) <= targetHeight) close(index + 1, true)
  }
  close(aspects.length, false)
  return { rows, height: Math.max(0, top - gap) }
}

/** Index range of rows that touch `[from, to]`, px; end excluded. */
export function rowsBetween(rows: readonly Row[], from: number, to: number): { first: number; end: number } {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    const row = rows[middle]!
    if (row.top + row.height < from) low = middle + 1
    else high = middle
  }
  const first = low
  high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (rows[middle]!.top <= to) low = middle + 1
    else high = middle
  }
  return { first, end: low }
}

export function rowOf(rows: readonly Row[], index: number): number {
  let low = 0
  let high = rows.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (rows[middle]!.start <= index) low = middle
    else high = middle - 1
  }
  return rows.length === 0 ? -1 : low
}

/** The card above or below, nearest by its centre; null at the edge. */
export function neighbourInRow(rows: readonly Row[], index: number, direction: -1 | 1, gap: number): number | null {
  const at = rowOf(rows, index)
  const row = rows[at]
  if (!row || row.kind !== 'pictures') return null
  const centreOf = (candidate: PictureRow, position: number): number =>
    candidate.widths.slice(0, position).reduce((sum, width) => sum + width + gap, 0) + candidate.widths[position]! / 2
  const centre = centreOf(row, index - row.start)
  let target = rows[at + direction]
  if (target?.kind === 'heading') target = rows[at + 2 * direction]
  if (!target || target.kind !== 'pictures') return null
  let best = target.start
  let distance = Number.POSITIVE_INFINITY
  for (let position = 0; position < target.widths.length; position += 1) {
    const away = Math.abs(centreOf(target, position) - centre)
    if (away < distance) {
      distance = away
      best = target.start + position
    }
  }
  return best
}
