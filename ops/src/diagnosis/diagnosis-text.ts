import type { Diagnosis } from './diagnose.ts'
import { playbooks } from './playbooks.ts'
import { answerWeight, topCause } from './rank-causes.ts'

/** One line for a page or a message. */
export function topLine(diagnosis: Diagnosis, id?: number): string {
  const top = topCause(diagnosis.causes)
  if (!top)
    return `Diagnosis "${diagnosis.playbook}": nothing stands out (${Object.values(diagnosis.findings).filter(({ state }) => state === 'known').length} probes answered).`
  const fix = id === undefined ? '' : ` Dry run: ./dam fix ${id}.1`
  return `Most likely (${Math.round(top.share * 100)} %): ${top.title}. ${top.evidence[0]}. Proposed (${top.action.risk}): ${top.action.title}.${fix}`
}

/** The whole of it, for a terminal or the detail of an incident. */
export function diagnosisText(diagnosis: Diagnosis, id?: number): string {
  const lines = [
    `${playbooks[diagnosis.playbook].title} · ${diagnosis.environment} · ${(diagnosis.tookMs / 1_000).toFixed(1)} s`,
    '',
  ]
  const shown = diagnosis.causes.slice(0, 5)
  if (!topCause(diagnosis.causes)) lines.push('Nothing stands out.', '')
  for (const [index, { title, share, weight, evidence, action }] of shown.entries()) {
    const isHint = weight < answerWeight
    lines.push(`${isHint ? '·' : `${index + 1}.`} ${title}  (${Math.round(share * 100)} %${isHint ? ', a hint' : ''})`)
    for (const line of evidence.slice(0, 4)) lines.push(`     ${line}`)
    if (isHint) continue
    lines.push(`   → ${action.title}  [${action.risk}]`, `     ${action.command}`)
    if (id !== undefined && action.kind !== 'advice') lines.push(`     dry run: ./dam fix ${id}.${index + 1}`)
  }
  const silent = Object.entries(diagnosis.findings).filter(([, answer]) => answer.state === 'unknown')
  if (silent.length > 0) lines.push('', 'Unknown:')
  for (const [name, answer] of silent)
    if (answer.state === 'unknown') lines.push(`  ${name.padEnd(12)}${answer.because}`)
  return lines.join('\n')
}
