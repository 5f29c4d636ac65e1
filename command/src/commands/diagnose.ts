import { parseArgs } from 'node:util'
import { diagnose, diagnoseAll, type Diagnosis, questions } from '@dam/ops/src/diagnosis/diagnose.ts'
import { keepDiagnosis } from '@dam/ops/src/diagnosis/diagnosis-store.ts'
import { diagnosisText } from '@dam/ops/src/diagnosis/diagnosis-text.ts'
import { playbooks } from '@dam/ops/src/diagnosis/playbooks.ts'
import { topCause } from '@dam/ops/src/diagnosis/rank-causes.ts'
import { playbookNames } from '@dam/ops/src/policy/policy.ts'
import { openDiagnosisPlace, placeOptions } from '../diagnosis/diagnosis-place.ts'
import { CommandFailure } from '../failure.ts'

export const help = `
Usage: ./dam diagnose errors|slow|memory|database|cdn|all [--environment <name>] [--json]

Looks at everything that bears on one of the runbook's five common issues and says what is most likely the matter, with
the evidence and one proposed action. Only reads; works while the application or the database is down, and then says so.

  --cdn <address>   the CDN that is meant, instead of service.cdnUrl of the policy
  --probes          what each playbook looks at, in order

Every diagnosis is kept; its actions have numbers such as 12.1 for ./dam fix. A firing alert runs its playbook by itself.
Ends with 1 when a cause stands out.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...placeOptions, cdn: { type: 'string' }, probes: { type: 'boolean', default: false } },
  })
  if (values.probes) {
    for (const { name, title, probes } of Object.values(playbooks)) {
      console.log(`${name}: ${title}`)
      for (const probe of probes) console.log(`  ${probe.padEnd(12)}${questions[probe]}`)
    }
    return 0
  }
  const [wanted] = positionals
  const name = playbookNames.find((one) => one === wanted)
  if (positionals.length !== 1 || (name === undefined && wanted !== 'all')) throw new CommandFailure(help.trim())
  using access = openDiagnosisPlace(values)
  const { place, watch } = access
  const all: Diagnosis[] = name === undefined ? await diagnoseAll(place) : [await diagnose(place, name)]
  const kept = all.map((diagnosis) => ({ id: keepDiagnosis(place.store, diagnosis, watch), ...diagnosis }))
  if (values.json) console.log(JSON.stringify(name === undefined ? kept : kept[0], null, 2))
  else console.log(kept.map((diagnosis) => diagnosisText(diagnosis, diagnosis.id)).join('\n\n'))
  return kept.some(({ causes }) => topCause(causes)) ? 1 : 0
}
