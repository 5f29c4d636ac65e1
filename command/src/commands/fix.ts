import { parseArgs } from 'node:util'
import {
  carryOutFix,
  consentFor,
  dryRunFix,
  findFix,
  type FixDeps,
  mayCarryOut,
} from '@dam/ops/src/diagnosis/fixes/run-fix.ts'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import { shellEnvironment } from '../config.ts'
import { openDiagnosisPlace, placeOptions } from '../diagnosis/diagnosis-place.ts'
import { runDam } from '../diagnosis/run-dam.ts'
import { CommandFailure } from '../failure.ts'
import { openWatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam fix <number>                        what the proposed action would do now; changes nothing
       ./dam fix <number> --yes                  do it (reversible and disruptive ones)
       ./dam fix <number> --name <what it ends>  do it (destructive ones)

Numbers come from ./dam diagnose, such as 12.1. Each action has a risk: read, reversible, disruptive or destructive. What
was found is looked at again first: a session or process that has ended since is left alone. Every deed is in the audit.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...placeOptions, yes: { type: 'boolean', default: false }, name: { type: 'string' } },
  })
  const [reference] = positionals
  if (reference === undefined || positionals.length > 1) throw new CommandFailure(help.trim())
  const environment = environmentOf(values.host, reference)
  using access = openDiagnosisPlace({ ...values, environment })
  const fix = findFix(access.place.store, reference)
  if (!fix) throw new CommandFailure(`There is no action ${reference}. ./dam diagnose proposes some.`)
  const deps: FixDeps = {
    place: access.place,
    cdn: readOpsConfig(shellEnvironment),
    runCommand: (words) => runDam(words),
  }
  const dry = await dryRunFix(deps, fix)
  const consent = { isConfirmed: values.yes, ...(values.name === undefined ? {} : { typed: values.name }) }
  const isWanted = values.yes || values.name !== undefined
  if (!isWanted || !dry.isPossible || !mayCarryOut(fix.action, consent)) {
    if (values.json) console.log(JSON.stringify({ ...fix, dryRun: dry }, null, 2))
    else {
      console.log(`${fix.action.title}  [${fix.action.risk}]  ${fix.environment}\n  ${fix.action.command}`)
      for (const line of dry.says) console.log(`  ${dry.isPossible ? 'now:' : 'not possible:'} ${line}`)
      if (dry.isPossible) console.log(`Nothing was done. ${consentFor(fix.action)}`)
    }
    return isWanted ? 1 : 0
  }
  const says = await carryOutFix(deps, fix, { who: access.watch.who, ...consent })
  console.log(values.json ? JSON.stringify({ ...fix, says }, null, 2) : says)
  return 0
}

function environmentOf(host: string | undefined, reference: string): string | undefined {
  using watch = openWatchPlace(host)
  return findFix(watch.store, reference)?.environment
}
