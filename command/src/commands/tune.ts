import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { readBudgets } from '@dam/ops/src/gates/performance/budgets.ts'
import { checkTuning } from '@dam/ops/src/tuning/check-tuning.ts'
import { applicationDirOf } from '../backup-place.ts'
import { root } from '../config.ts'
import { openDiagnosisPlace, placeOptions } from '../diagnosis/diagnosis-place.ts'

export const help = `
Usage: ./dam tune [--environment <name>] [--json]

The runbook's chapter Performance Tuning, looked at: bundle size, images, lazy loading, CDN hit rate; response times by
route, slow queries and indexes, cache hit rate, connection pool, external calls, room to grow. Each line says its figure
and its bound, and what to do where it is out of bounds. Only reads. Ends with 1 when something is out of bounds.
`

const marks = { ok: '✓', 'out-of-bounds': '✗', unknown: '?' } as const

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { ...placeOptions, cdn: { type: 'string' } } })
  using access = openDiagnosisPlace(values)
  const { place, watch } = access
  const budget = readBudgets(readFileSync(path.join(root, 'bench/budgets.json'), 'utf8')).find(({ figure }) =>
    figure.startsWith('JavaScript of the first page'),
  )
  const lines = await checkTuning(place, {
    dist: path.join(applicationDirOf(place.environment, place.store), 'frontend/dist'),
    bundleKilobytes: budget && 'atMost' in budget.bound ? budget.bound.atMost : 120,
    p95Seconds: watch.policy.targets['response-time-p95']?.below?.value ?? 0.5,
  })
  if (values.json) console.log(JSON.stringify(lines, null, 2))
  else
    for (const area of ['frontend', 'backend'] as const) {
      console.log(area === 'frontend' ? 'Frontend' : '\nBackend')
      for (const { name, state, figure, bound, advice } of lines.filter((line) => line.area === area)) {
        console.log(`${marks[state]} ${name.padEnd(27)}${figure}`)
        if (state !== 'ok') console.log(`${' '.repeat(29)}bound: ${bound}`)
        if (advice) console.log(`${' '.repeat(29)}→ ${advice}`)
      }
    }
  return lines.some(({ state }) => state === 'out-of-bounds') ? 1 : 0
}
