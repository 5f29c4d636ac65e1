/** Milliseconds as Prometheus writes them: `90s`, `5m`, `6h`, `30d`. */
export function prometheusDuration(durationMs: number): string {
  for (const [unitMs, unit] of [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1_000, 's'],
  ] as const)
    if (durationMs >= unitMs && durationMs % unitMs === 0) return `${durationMs / unitMs}${unit}`
  return `${durationMs}ms`
}
