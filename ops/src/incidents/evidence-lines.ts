import type { Incident } from './incident.ts'

const readableCharacters = 300

/** What is on record of an incident, one line each; what is too long for a line is told by its size and where to read it. */
export function evidenceLines({ id, evidence }: Pick<Incident, 'id' | 'evidence'>): string[] {
  return Object.entries(evidence).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    if (text.length <= readableCharacters) return `${name}: ${text}`
    const parts = Array.isArray(value)
      ? `${value.length} entries`
      : typeof value === 'object' && value !== null
        ? Object.keys(value).join(', ')
        : 'text'
    return `${name}: ${Math.ceil(text.length / 1000)} kB (${parts}) in ./dam incident ${id} --json`
  })
}
