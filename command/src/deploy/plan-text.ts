import type { DeployPlan } from '@dam/ops/src/deployments/plan-deploy.ts'
import type { RollbackPlan, Rung } from '@dam/ops/src/deployments/plan-rollback.ts'

const gateMarks = { pass: '✓', waived: '~', fail: '✗', stale: '!', unknown: '?' } as const

export function deployPlanText(plan: DeployPlan): string {
  const { environment, tag, digest, from, gates, obstacles, steps, canRun } = plan
  const width = Math.max(...gates.map(({ title }) => title.length))
  const gateLines = gates.flatMap(({ kind, title, state, evidence, remedy, isRequired }) => {
    const isMadeHere = kind === 'backup' && state !== 'pass' && state !== 'waived'
    const note = isMadeHere ? ' (made by the deployment)' : isRequired ? '' : ` (not asked for on ${environment})`
    const line = `  ${gateMarks[state]} ${title.padEnd(width)}  ${state}${note}: ${evidence.summary}`
    return state === 'pass' || state === 'waived' || remedy === null ? [line] : [line, `    → ${remedy}`]
  })
  return [
    `${tag} (${digest.slice(0, 12)}) to ${environment}, which serves ${from ?? 'nothing yet'}`,
    '',
    ...gateLines,
    '',
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
    ...(obstacles.length > 0 ? ['', ...obstacles.map((text) => `  ✗ ${text}`)] : []),
    '',
    canRun ? `It can run: ./dam deploy ${environment} ${tag}` : 'It cannot run now. Nothing was changed.',
  ].join('\n')
}

export function rollbackPlanText(plan: RollbackPlan): string {
  const { environment, from, to, rungs, chosen, predictedMinutes, withinMinutes } = plan
  const lines = rungs.flatMap((rung, index) => [
    `  ${index + 1}. ${rung.name === chosen ? '→' : rung.isPossible ? '✓' : '–'} ${rung.title}`,
    `       ${rung.isPossible ? '' : 'not possible: '}${rung.because}`,
    ...(rung.isPossible
      ? [`       takes ${durationText(rung)}; loses ${rung.loses}`, ...(rung.command ? [`       ${rung.command}`] : [])]
      : []),
  ])
  const verdict =
    chosen === null
      ? 'No automatic way back; take one of the rungs by hand.'
      : `./dam rollback takes rung "${chosen}": ${(predictedMinutes ?? 0).toFixed(1)} of ${withinMinutes} minutes.`
  return [`${environment}: from ${from ?? 'nothing'} to ${to ?? 'nothing known'}`, '', ...lines, '', verdict].join('\n')
}

const durationText = ({ predicted }: Rung): string =>
  predicted === null
    ? 'unknown, no restore was measured'
    : `${predicted.seconds < 90 ? `${predicted.seconds.toFixed(1)} s` : `${(predicted.seconds / 60).toFixed(1)} min`} (${predicted.from})`
