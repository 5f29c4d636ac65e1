import { parseArgs } from 'node:util'
import { openStore } from '@dam/ops/src/store.ts'
import { parseDuration } from '@dam/ops/src/policy/units.ts'
import { attest } from '@dam/ops/src/verification/attestation-store.ts'
import { checklists } from '@dam/ops/src/verification/checklist.ts'
import { CommandFailure } from '../failure.ts'
import { operationsPlace } from '../operations.ts'

export const help = `
Usage: ./dam attest staging|production <item> --by <person> --note <what was seen> [--expires 7d] [--host <folder>]

Records what a person vouches for in the checklists of the runbook, with its expiry, in the audit log.

  staging     ${Object.keys(checklists.staging).join(', ')}
  production  ${Object.keys(checklists.production).join(', ')}
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
  const [environment = '', item = ''] = positionals
  const list = environment === 'staging' || environment === 'production' ? checklists[environment] : undefined
  if (!list || !Object.hasOwn(list, item) || !values.by || !values.note) throw new CommandFailure(help.trim())
  const lastsMs = parseDuration(values.expires ?? '7d')
  if (lastsMs === null) throw new CommandFailure(`"${values.expires}" is not a duration, such as 7d or 12h.`)
  const now = new Date()
  const expiresAt = new Date(now.getTime() + lastsMs)
  using store = openStore(operationsPlace(values.host).opsDir)
  attest(store, `environment:${environment}`, { item, by: values.by, note: values.note, expiresAt }, now)
  console.log(`${values.by} vouches for "${item}" on ${environment} until ${expiresAt.toISOString().slice(0, 16)}Z`)
  return 0
}
