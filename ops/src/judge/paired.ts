/**
 * Probability that of all failures so few hit the old release, if both releases fail equally (hypergeometric, one side).
 * Small: the new release is worse than the old one beside it.
 */
export function chanceOfDifference(
  fresh: { requests: number; failures: number },
  control: { requests: number; failures: number },
): number {
  const all = fresh.requests + control.requests
  const failures = fresh.failures + control.failures
  const denominator = logChoose(all, failures)
  let chance = 0
  for (let hits = Math.max(0, failures - fresh.requests); hits <= control.failures; hits++) {
    chance += Math.exp(logChoose(control.requests, hits) + logChoose(fresh.requests, failures - hits) - denominator)
  }
  return Math.min(1, chance)
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k)
}

/** Stirling's series above 20, where it is exact to ten digits. */
function logFactorial(n: number): number {
  if (n > 20) return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3)
  let sum = 0
  for (let i = 2; i <= n; i++) sum += Math.log(i)
  return sum
}
