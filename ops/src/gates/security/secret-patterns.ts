/** What the rules of secretlint leave out or look at more mildly than we want. */
export type SecretPattern = { name: string; pattern: RegExp }

export const secretPatterns: readonly SecretPattern[] = [
  // With a body: a bare header is what programs that read keys contain.
  { name: 'private key', pattern: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[\s\\nr"'+]{1,20}[A-Za-z0-9+/=]{16}/g },
  { name: 'AWS access key id', pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g },
  { name: 'GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})\b/g },
  { name: 'Slack token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{20,}/g },
  { name: 'Slack webhook', pattern: /hooks\.slack\.com\/services\/T[A-Z0-9]{6,}\/B[A-Z0-9]{6,}\/[A-Za-z0-9]{20,}/g },
  { name: 'PagerDuty key', pattern: /(?:routing|integration|service)_?key["'`]?\s*[:=]\s*["'`]?[0-9a-zA-Z]{32}\b/gi },
  { name: 'PagerDuty API token', pattern: /\bToken token=[A-Za-z0-9+_-]{18,}/g },
]

const assignment =
  /\b[\w.-]*(?:secret|passwd|password|token|api_?key|private_?key|credential)[\w.-]*["'`]?\s*[:=]\s*["'`]([A-Za-z0-9+/_=.~-]{24,256})["'`]/gi

/** A file's name before a checksum, as in the manifest of a release. */
const fileName = /\.(?:[cm]?[jt]sx?|css|html|json|md|png|po|sh|sql|svg|txt|woff2|ya?ml)["'`]?\s*[:=]/i

/** Values that look drawn at random, given to a name that says secret. */
export function assignedSecrets(content: string): { index: number; value: string }[] {
  return [...content.matchAll(assignment)].flatMap((found) => {
    const value = found[1] ?? ''
    if (fileName.test(found[0])) return []
    return entropyBits(value) >= 3.8 && /\d/.test(value) && /[A-Za-z]/.test(value)
      ? [{ index: found.index, value }]
      : []
  })
}

/** Shannon entropy of the characters, bits each. */
export function entropyBits(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0)
}
