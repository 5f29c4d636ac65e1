/** Rows as psql prints them. */
export function tableText(names: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) => row.map((value) => (value === null || value === undefined ? '' : String(value))))
  const widths = names.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => ` ${cell.padEnd(widths[column] ?? 0)} `)
      .join('|')
      .trimEnd()
  const count = rows.length === 1 ? '(1 row)' : `(${rows.length} rows)`
  return [line(names), widths.map((width) => '-'.repeat(width + 2)).join('+'), ...cells.map(line), count, ''].join('\n')
}
