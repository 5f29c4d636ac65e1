import { runProgram } from '../run-program.ts'
import { workspaceProgram } from '../toolchain.ts'
import { type Check, type CheckResult, failed, passed } from './check.ts'

const packages = ['contract', 'platform', 'backend', 'frontend', 'ops', 'command', 'e2e', 'bench']

async function judge(program: string, args: readonly string[]): Promise<CheckResult> {
  const { code, output } = await runProgram(workspaceProgram(program), args)
  return code === 0 ? passed : failed(output)
}

const typeChecks = packages.map((name): Check => ({ name: `types ${name}`, run: () => judge('tsc', ['-p', name]) }))

/** Checks that are a program with arguments. */
export const programChecks: Check[] = [
  ...typeChecks,
  {
    name: 'lint',
    run: () => judge('oxlint', ['--type-aware', '--deny-warnings', '--format=unix', ...packages]),
  },
  { name: 'format', run: ({ write }) => judge('oxfmt', write ? [] : ['--check']) },
  { name: 'unused code', run: () => judge('knip', ['--no-progress']) },
  { name: 'directions', run: checkDirections },
]

/** Where the parser cannot read TypeScript, dependency-cruiser finds no modules and is content: count what it saw. */
async function checkDirections(): Promise<CheckResult> {
  const args = ['--config', '.dependency-cruiser.mjs', '--output-type', 'json', ...packages]
  const { code, output } = await runProgram(workspaceProgram('depcruise'), args)
  let answer: {
    summary: { totalCruised: number; violations: { from: string; to: string; rule: { name: string } }[] }
    modules: { source: string }[]
  }
  try {
    answer = JSON.parse(output) as typeof answer
  } catch {
    return failed(`dependency-cruiser ended with ${code}:\n${output}`)
  }
  const unseen = packages.filter(
    (name) => !answer.modules.some(({ source }) => source.startsWith(`${name}/`) && /\.tsx?$/.test(source)),
  )
  if (unseen.length > 0) return failed(`dependency-cruiser saw no TypeScript module of ${unseen.join(', ')}`)
  const { violations } = answer.summary
  return violations.length === 0
    ? passed
    : failed(violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`).join('\n'))
}
