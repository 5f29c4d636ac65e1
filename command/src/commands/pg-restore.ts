import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { openStore } from '@dam/ops/src/store.ts'
import { chooseEnvironment, restoreSource } from '../backup-place.ts'
import { CommandFailure } from '../failure.ts'
import { operationsPlace } from '../operations.ts'
import { restoreGuarded } from '../restore-flow.ts'
import { quote } from '../shell.ts'

export const help = `
Usage: ./dam pg_restore -d dam_db backup.dump [--yes] [--environment <name>] [--host <folder>]

The runbook's line with guard rails. pg_restore itself would write into the live database, over its rows and while it is
used. With --yes this restores into a database beside it, checks the result and then swaps the two, as ./dam restore does;
without, it says so and changes nothing.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      dbname: { type: 'string', short: 'd' },
      environment: { type: 'string' },
      yes: { type: 'boolean', default: false },
      host: { type: 'string' },
    },
  })
  const [file] = positionals
  if (file === undefined || positionals.length > 1)
    throw new CommandFailure('Name one dump: ./dam pg_restore -d dam_db backup.dump')
  const place = operationsPlace(values.host)
  const environment = chooseEnvironment(place, values.environment)
  using store = openStore(place.opsDir)
  // A file that is not there is told before anything else.
  restoreSource(place, store, file)
  if (!values.yes) {
    const chosen = values.environment === undefined ? '' : ` --environment ${environment.name}`
    const name = environment.isLocal ? '' : ` ${environment.name}`
    console.log(`pg_restore -d ${values.dbname ?? 'dam_db'} would write over the live database of ${environment.name} while it is used: rows twice, errors in between, and no way back.

→ Restore beside it, look, and then decide:     ./dam restore${name} ${quote(file)}
→ The same and let it take its place at once:   ./dam pg_restore -d ${values.dbname ?? 'dam_db'} ${quote(file)}${chosen} --yes

The one before is kept for 7 days: ./dam restore${name} --undo`)
    return 1
  }
  return await restoreGuarded(place, store, environment, file, { yes: true, who: userInfo().username })
}
