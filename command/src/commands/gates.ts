import { parseArgs } from 'node:util'
import { evaluateGates, gatesAreOpen, isOpen } from '@dam/ops/src/gates/evaluate-gates.ts'
import { resolveRelease } from '@dam/ops/src/releases/release-store.ts'
import { CommandFailure } from '../failure.ts'
import { openGates } from '../gates/gate-place.ts'
import { gatesText } from '../gates/gates-text.ts'

export const help = `
Usage: ./dam gates [<environment>] <tag> [--json] [--host <folder>] [--repository <folder>]

The seven lines of the pre-deployment checklist for one release in one environment (default production): what is known,
from where, how old it is, and the command that changes it. ✓ passed, ✗ failed, ? not known or too old, ~ waived.

  ./dam gates staging v1.2.0
  ./dam gate run tests v1.2.0      makes the evidence of one line; ./dam gate --help

Ends with 1 unless every line has passed or is waived. DAM_GITHUB_TOKEN or DAM_GITLAB_TOKEN let it read approvals of the
repository that the remote "origin" names (DAM_REPOSITORY=<owner>/<name>, DAM_GITHUB_API, DAM_GITLAB_API for others).
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      host: { type: 'string' },
      repository: { type: 'string' },
    },
  })
  const tag = positionals.at(-1)
  if (tag === undefined || positionals.length > 2) throw new CommandFailure(help.trim())
  using gates = openGates({ host: values.host, repository: values.repository })
  const environment = environmentNamed(gates.environments, positionals.length === 2 ? positionals[0] : 'production')
  const release = resolveRelease(gates.store, tag)
  const now = new Date()
  const statuses = await evaluateGates(gates.deps, { release, environment, now })
  const open = gatesAreOpen(statuses)
  if (values.json) {
    const { digest, commit } = release
    console.log(
      JSON.stringify({ environment, tag: release.tag, digest, commit, isOpen: open, gates: statuses }, null, 2),
    )
    return open ? 0 : 1
  }
  console.log(`${release.tag} (${release.digest.slice(0, 12)}) to ${environment}\n\n${gatesText(statuses, now)}\n`)
  const closed = statuses.filter((status) => !isOpen(status)).length
  console.log(open ? 'All gates are open.' : `${closed} of ${statuses.length} gates are closed.`)
  return open ? 0 : 1
}

export function environmentNamed(environments: readonly { name: string }[], name: string | undefined): string {
  const found = environments.find((environment) => environment.name === name)
  if (found) return found.name
  throw new CommandFailure(
    `There is no environment "${name ?? ''}". There is: ${environments.map((one) => one.name).join(', ')}`,
  )
}
