import path from 'node:path'
import { parseArgs } from 'node:util'
import { backTest, type Firing } from '@dam/ops/src/alerts/back-test.ts'
import { longestWindow } from '@dam/ops/src/alerts/evaluate-alerts.ts'
import { explainPolicy } from '@dam/ops/src/policy/explain-policy.ts'
import { type ReadPolicy, readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { readSteps } from '@dam/ops/src/signals/sample-store.ts'
import { CommandFailure } from '../failure.ts'
import { openWatchPlace, policyFile } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam policy check [<file>]                  whether a policy can be used; every mistake with its line
       ./dam policy explain [<file>]                what it means, in sentences
       ./dam policy diff <file>                     what another one would change
       ./dam policy back-test <file> [--days 7]     how often it would have paged over what was recorded

Without a file it is the policy in force: DAM_POLICY, else ops/policy.yaml of this checkout.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { host: { type: 'string' }, days: { type: 'string', default: '7' } },
  })
  const [action = '', given] = positionals
  const file = given === undefined ? policyFile() : path.resolve(given)
  switch (action) {
    case 'check': {
      const { policy, hash } = readPolicy(file)
      console.log(`${file} can be used (${hash}): ${policy.alerts.length} alerts, ${policy.people.length} people.`)
      return 0
    }
    case 'explain':
      console.log(textOf(readPolicy(file)))
      return 0
    case 'diff':
      if (given === undefined) throw new CommandFailure('Name the other policy: ./dam policy diff new-policy.yaml')
      return printDifference(readPolicy(policyFile()), readPolicy(file))
    case 'back-test':
      if (given === undefined) throw new CommandFailure('Name the other policy: ./dam policy back-test new-policy.yaml')
      return printBackTest(values.host, readPolicy(file), Number(values.days))
    default:
      throw new CommandFailure(help.trim())
  }
}

const textOf = ({ policy }: ReadPolicy): string =>
  explainPolicy(policy)
    .map(({ title, lines }) => [title, ...lines.map((line) => `  ${line}`)].join('\n'))
    .join('\n\n')

function printDifference(now: ReadPolicy, other: ReadPolicy): number {
  const sections = new Map(explainPolicy(other.policy).map(({ title, lines }) => [title, lines]))
  let differences = 0
  for (const { title, lines } of explainPolicy(now.policy)) {
    const others = sections.get(title) ?? []
    const gone = lines.filter((line) => !others.includes(line))
    const come = others.filter((line) => !lines.includes(line))
    if (gone.length + come.length === 0) continue
    differences += gone.length + come.length
    console.log([title, ...gone.map((line) => `- ${line}`), ...come.map((line) => `+ ${line}`), ''].join('\n'))
  }
  if (differences === 0) console.log(now.hash === other.hash ? 'The files are the same.' : 'They mean the same.')
  return 0
}

function printBackTest(host: string | undefined, other: ReadPolicy, days: number): number {
  if (!(days >= 1 && days <= 35))
    throw new CommandFailure('--days takes a number from 1 to 35: minutes are kept for 35 days.')
  using place = openWatchPlace(host)
  const { store, policy, now } = place
  for (const { name } of place.place.environments) {
    const from = now.getTime() - days * 86_400_000 - Math.min(longestWindow(other.policy), 86_400_000)
    const steps = readSteps(store, name, from, now.getTime())
    const first = steps[0]
    if (!first) {
      console.log(`${name}: nothing was recorded in the last ${days} days.`)
      continue
    }
    console.log(`${name}: ${steps.length} recorded steps since ${new Date(first.at).toISOString()}`)
    const [before, after] = [backTest(policy, steps), backTest(other.policy, steps)]
    for (const severity of ['P0', 'P1', 'P2', 'P3'] as const) {
      const count = (firings: Firing[]): number => firings.filter((firing) => firing.severity === severity).length
      const [had, would] = [count(before), count(after)]
      const words = would === had ? 'as often' : would > had ? `${would - had} times more` : `${had - would} times less`
      console.log(`  ${severity}  now ${had}, then ${would}: would have fired ${words}`)
    }
    for (const firing of after.filter(
      ({ rule, from }) => !before.some((one) => one.rule === rule && one.from === from),
    ))
      console.log(`    + ${firing.severity} ${firing.rule}  ${firing.from} – ${firing.until ?? 'still'}`)
    for (const firing of before.filter(
      ({ rule, from }) => !after.some((one) => one.rule === rule && one.from === from),
    ))
      console.log(`    - ${firing.severity} ${firing.rule}  ${firing.from} – ${firing.until ?? 'still'}`)
  }
  return 0
}
