import type { GateStatus } from '@dam/ops/src/gates/gate.ts'
import { formatDuration } from '@dam/ops/src/policy/units.ts'

const marks: Record<GateStatus['state'], string> = { pass: '✓', fail: '✗', unknown: '?', stale: '?', waived: '~' }

/** The checklist as a terminal shows it: mark, title and state, evidence below, and what to do about each that is closed. */
export function gatesText(statuses: readonly GateStatus[], now: Date): string {
  const width = Math.max(...statuses.map(({ title }) => title.length))
  return statuses
    .flatMap((status) => {
      const { title, state, evidence, remedy } = status
      const since = [status.by && `by ${status.by}`, ageText(status, now)].filter(Boolean).join(', ')
      return [
        `${marks[state]} ${title.padEnd(width)}  ${state}${since ? `  (${since})` : ''}`,
        `    ${evidence.summary}`,
        ...(remedy && state !== 'waived' ? [`    → ${remedy}`] : []),
      ]
    })
    .join('\n')
}

function ageText({ at, expiresAt }: GateStatus, now: Date): string {
  const age = at === null ? '' : `${formatDuration(Math.max(0, now.getTime() - Date.parse(at)))} old`
  if (expiresAt === null) return age
  const leftMs = Date.parse(expiresAt) - now.getTime()
  return `${age}, ${leftMs > 0 ? `valid for ${formatDuration(leftMs)}` : `expired ${formatDuration(-leftMs)} ago`}`
}
