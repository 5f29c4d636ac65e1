export type Sample = { name: string; labels: Record<string, string>; value: number }

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]?Inf|[+-]?[0-9.]+(?:e[+-]?[0-9]+)?)(?: [0-9]+)?$/i
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\.|[^"\\])*)"(?:,|$)/gy

/** Reads the text format of Prometheus 0.0.4. Throws on a line that is not of it, and on a metric without a type. */
export function parsePrometheus(text: string): { samples: Sample[]; types: Map<string, string> } {
  const samples: Sample[] = []
  const types = new Map<string, string>()
  if (!text.endsWith('\n')) throw new Error('The last line must end.')
  for (const each of text.split('\n')) {
    const declared = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(each)
    if (declared) types.set(declared[1]!, declared[2]!)
    if (each === '' || each.startsWith('#')) continue
    const match = line.exec(each)
    if (!match) throw new Error(`Not a sample: ${each}`)
    const labels: Record<string, string> = {}
    label.lastIndex = 0
    let end = 0
    for (let pair = label.exec(match[2] ?? ''); pair; pair = label.exec(match[2] ?? '')) {
      labels[pair[1]!] = pair[2]!
      end = label.lastIndex
    }
    if (end !== (match[2] ?? '').length) throw new Error(`Labels that do not parse: ${each}`)
    samples.push({ name: match[1]!, labels, value: Number(match[3]!.replace('Inf', 'Infinity')) })
  }
  for (const { name } of samples) {
    if (!types.has(name) && !types.has(name.replace(/_(bucket|sum|count|total)$/, '')))
      throw new Error(`${name} has no TYPE line.`)
  }
  return { samples, types }
}
