/** Prints each step behind the seconds since the first, so that one sees what takes long. */
export function stepPrinter(): { say: (message: string) => void; seconds: () => string } {
  const startedAt = performance.now()
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1)
  return { seconds, say: (message) => console.error(`  ${seconds().padStart(5)} s  ${message}`) }
}
