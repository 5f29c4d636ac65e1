import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { openStore } from '@dam/ops/src/store.ts'
import { chooseEnvironment, isEnvironmentName } from '../backup-place.ts'
import { CommandFailure } from '../failure.ts'
import { operationsPlace } from '../operations.ts'
import { restoreGuarded, undoRestore } from '../restore-flow.ts'

export const help = `
Usage: ./dam restore [<environment>] <backup or dump> [--into <database>] [--yes] [--host <folder>]
       ./dam restore [<environment>] --undo [--yes]

Restores a backup (./dam backups lists them), or a file made by pg_dump -Fc, into a database beside the live one, which
nobody notices; compares every row with what was backed up; brings back originals that are gone. Then, when you agree
(--yes agrees now), it takes the place of the live database within seconds. The one before is kept for 7 days, and --undo
lets it take its place again. With --into it only stays beside, under that name.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      into: { type: 'string' },
      yes: { type: 'boolean', default: false },
      undo: { type: 'boolean' },
      host: { type: 'string' },
    },
  })
  const place = operationsPlace(values.host)
  const [first] = positionals
  const isNamed = first !== undefined && isEnvironmentName(place, first)
  const environment = chooseEnvironment(place, isNamed ? first : undefined)
  const rest = isNamed ? positionals.slice(1) : positionals
  const who = userInfo().username
  using store = openStore(place.opsDir)
  if (values.undo) return await undoRestore(environment, store, { yes: values.yes, who })
  const [what] = rest
  if (what === undefined || rest.length > 1)
    throw new CommandFailure('Which one? ./dam restore <backup or dump>; ./dam backups lists the backups.')
  if (values.into !== undefined && !/^[a-z_][a-z0-9_]{0,62}$/.test(values.into))
    throw new CommandFailure('A database name here is lower-case letters, digits and _, at most 63.')
  return await restoreGuarded(place, store, environment, what, {
    yes: values.yes,
    who,
    ...(values.into === undefined ? {} : { into: values.into }),
  })
}
