import type { CdnVerdict } from '../cdn/compare-cdn.ts'
import type { CauseName, Vote } from '../causes.ts'
import { type Findings, known } from '../findings.ts'

const causeOf: Partial<Record<CdnVerdict, { cause: CauseName; weight: number }>> = {
  'edge-down': { cause: 'cdn-down', weight: 8 },
  'edge-fails': { cause: 'cdn-down', weight: 8 },
  'edge-missing': { cause: 'cdn-missing', weight: 8 },
  stale: { cause: 'cdn-stale', weight: 8 },
  headers: { cause: 'cdn-headers', weight: 5 },
  'origin-fails': { cause: 'system-down', weight: 6 },
}

/** Edge beside origin. */
export function cdnVotes(findings: Findings): Vote[] {
  const comparison = known(findings, 'cdn')
  if (!comparison) return []
  const { compared, cdnUrl, originUrl } = comparison
  const wrong = Map.groupBy(
    compared.filter(({ verdict }) => verdict !== 'same'),
    ({ verdict }) => verdict,
  )
  return [...wrong].flatMap(([verdict, some]) => {
    const meaning = causeOf[verdict]
    const [first] = some
    if (!meaning || !first) return []
    return [
      {
        ...meaning,
        weight: meaning.weight + Math.min(2, (some.length - 1) * 0.5),
        evidence: `${some.length} of ${compared.length} addresses: ${first.path}: ${first.because}`,
        subject: {
          url: `${cdnUrl}${first.path}`,
          origin: originUrl,
          urls: some.map(({ path }) => `${cdnUrl}${path}`).join(' '),
        },
      },
    ]
  })
}
