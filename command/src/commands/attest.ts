import { parseArgs } from 'node:util'
import { parseDuration } from '@dam/ops/src/policy/units.ts'
import { attest } from '@dam/ops/src/verification/attestation-store.ts'
import { checklistOf, checklistsFor } from '@dam/ops/src/verification/checklist.ts'
import { chooseEnvironment } from '../backup-place.ts'
import { CommandFailure } from '../failure.ts'
import { openWatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam attest staging|production|local <item> --by <person> --note <what was seen> [--expires 7d] [--host <folder>]

Records what a person vouches for in the checklists of ./dam verify, with its expiry, in the audit log. It counts where
no machine knows better, and for the release that serves now: after the next deployment somebody has to look again.

  staging     smoke, features, performance, logs
  production  health, smoke, monitoring, logs, feedback
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      by: { type: 'string' },
      note: { type: 'string' },
      expires: { type: 'string' },
      host: { type: 'string' },
    },
  })
  const [name, item = ''] = positionals
  if (name === undefined || positionals.length > 2 || !values.by || !values.note) throw new CommandFailure(help.trim())
  const lastsMs = parseDuration(values.expires ?? '7d')
  if (lastsMs === null) throw new CommandFailure(`"${values.expires}" is not a duration, such as 7d or 12h.`)
  using watch = openWatchPlace(values.host)
  const environment = chooseEnvironment(watch.place, name).name
  const items = checklistsFor(environment).flatMap((list) => checklistOf(watch.policy, list).map((line) => line.item))
  if (!items.includes(item))
    throw new CommandFailure(`The checklist of ${environment} has no "${item}". It has: ${items.join(', ')}`)
  const expiresAt = new Date(watch.now.getTime() + lastsMs)
  attest(watch.store, `environment:${environment}`, { item, by: values.by, note: values.note, expiresAt }, watch.now)
  console.log(`${values.by} vouches for "${item}" on ${environment} until ${expiresAt.toISOString().slice(0, 16)}Z`)
  return 0
}
