import { parseArgs } from 'node:util'
import { runChecks } from '../check/run-checks.ts'

export const help = `
Usage: ./dam check [--write] [<name> ...]

Runs the static checks: types of each package, lint, format, unused code, directions between packages, and that
schema.sql, openapi.json and .env.example say what the migrations, the contract and the settings say, and that no
migration hurts a database in use (docs/migrations.md).

  ./dam check types lint    only the checks whose name contains one of the words
  ./dam check --write       format, and write schema.sql and openapi.json anew
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { write: { type: 'boolean', default: false } },
  })
  const { passed, failed } = await runChecks({ filters: positionals, write: values.write })
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}
