export type Series = { name: string; labels: Record<string, string>; value: number }

/** Reads Prometheus' text format; what is no sample line is passed over. */
export function parsePrometheusText(text: string): Series[] {
  const series: Series[] = []
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name, labels, value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line) ?? []
    if (!name || value === undefined) continue
    series.push({ name, labels: parseLabels(labels ?? ''), value: numberOf(value) })
  }
  return series
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [, name, value] of text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    if (name && value !== undefined)
      labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  }
  return labels
}

const numberOf = (text: string): number =>
  text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)

/** Sum of the series of a name whose labels fulfil `where`; null when there is none. */
export function sumOf(
  series: readonly Series[],
  name: string,
  where: (labels: Record<string, string>) => boolean = () => true,
): number | null {
  const found = series.filter((one) => one.name === name && where(one.labels))
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0)
}

/**
 * What counters grew by between two looks. A counter that is lower than before began again, as Prometheus has it. A series that is new
 * since the last look counts from zero: its label was not seen before.
 */
export function increases(before: readonly Series[], now: readonly Series[]): Series[] {
  const keyOf = ({ name, labels }: Series): string => `${name}${JSON.stringify(Object.entries(labels).toSorted())}`
  const earlier = new Map(before.map((one) => [keyOf(one), one.value]))
  return now.map((one) => {
    const last = earlier.get(keyOf(one)) ?? 0
    return { ...one, value: one.value >= last ? one.value - last : one.value }
  })
}
