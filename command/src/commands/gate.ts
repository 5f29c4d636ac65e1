import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type GateKind, gateKinds } from '@dam/ops/src/gates/gate.ts'
import { attestReview } from '@dam/ops/src/gates/review/attest-review.ts'
import { commitsToReview } from '@dam/ops/src/gates/review/review-release.ts'
import { identifyVoucher, type Proof } from '@dam/ops/src/gates/second-person.ts'
import { acceptTestReport } from '@dam/ops/src/gates/test-runs/record-tests.ts'
import { risks, waiveGate } from '@dam/ops/src/gates/waive-gate.ts'
import { parseDuration } from '@dam/ops/src/policy/units.ts'
import { resolveRelease } from '@dam/ops/src/releases/release-store.ts'
import type { Release } from '@dam/ops/src/releases/release.ts'
import { CommandFailure } from '../failure.ts'
import { type GatePlace, openGates, whoRuns } from '../gates/gate-place.ts'
import { runs } from '../gates/run-gate.ts'
import { readPassword } from '../password-prompt.ts'
import { environmentNamed } from './gates.ts'

export const help = `
Usage: ./dam gate run ${Object.keys(runs).join('|')} <tag>
       ./dam gate record tests <tag> --report <file>
       ./dam gate attest reviewed <tag> --digest <digest> --by <person> [--note <text>] [--token <token>]
       ./dam gate waive <environment> <tag> <kind> --by <person> --reason <text> [--expires 4h]
                        [--requested-by <person>] [--token <token>]

Makes or takes the evidence of one line of ./dam gates. It is kept for the artifact of that tag and nothing else.

  run      reviewed     reads Reviewed-by lines, and approvals where a token for GitHub or GitLab is set
           tests        unpacks the release and runs all its tests there
           security     advisories, secrets, licences, response headers, lockfiles
           performance  a short load on the release, against bench/budgets.json
           migrations   up, new code, old code, down and up again on a copy of the newest backup of each environment,
                        with the release that serves there; --environment <name> for one
  record   takes a report that ./dam test --record <file> wrote elsewhere, at the release's commit and nothing changed
  attest   a person who wrote none of the commits says that they reviewed this artifact, naming its digest
  waive    somebody else than who asks and who wrote it lets one line pass for a while: at least 20 characters of reason,
           7 days at most. Kinds: ${Object.keys(gateKinds).join(', ')}

Where operators are registered, --by is one of them, with --token or their password (asked for, or the
first line of standard input); else the name is recorded as claimed.
All take --host <folder> and --repository <folder>.
`

const options = {
  host: { type: 'string' },
  repository: { type: 'string' },
  report: { type: 'string' },
  environment: { type: 'string' },
  digest: { type: 'string' },
  by: { type: 'string' },
  note: { type: 'string' },
  token: { type: 'string' },
  reason: { type: 'string' },
  expires: { type: 'string', default: '4h' },
  'requested-by': { type: 'string' },
} as const

type Flags = { [name in keyof typeof options]?: string | undefined }
type Action = (gates: GatePlace, words: string[], flags: Flags) => Promise<number>

const actions: Record<string, { words: number; act: Action }> = {
  run: { words: 2, act: runGate },
  record: { words: 2, act: record },
  attest: { words: 2, act: attest },
  waive: { words: 3, act: waive },
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const [name = '', ...words] = positionals
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action || words.length !== action.words) throw new CommandFailure(help.trim())
  using gates = openGates({ host: values.host, repository: values.repository })
  return await action.act(gates, words, values)
}

async function runGate(gates: GatePlace, [kind = '', tag = '']: string[], flags: Flags): Promise<number> {
  const make = Object.hasOwn(runs, kind) ? runs[kind] : undefined
  if (!make) throw new CommandFailure(`There is no run for "${kind}". There is: ${Object.keys(runs).join(', ')}`)
  const verdict = await make(gates, resolveRelease(gates.store, tag), flags.environment)
  console.log(`\n${kind}: ${verdict}`)
  return verdict === 'pass' ? 0 : 1
}

async function record(gates: GatePlace, [kind = '', tag = '']: string[], flags: Flags): Promise<number> {
  if (kind !== 'tests') throw new CommandFailure(`Only tests are recorded from elsewhere, not "${kind}".`)
  if (!flags.report)
    throw new CommandFailure('Name the report: --report <file>, written by ./dam test --record <file>.')
  const release = resolveRelease(gates.store, tag)
  const verdict = acceptTestReport(
    { store: gates.store, policy: gates.deps.policy, release, by: whoRuns(), source: flags.report },
    readFileSync(flags.report, 'utf8'),
    new Date(),
  )
  console.log(`tests of ${release.tag}: ${verdict}`)
  return verdict === 'pass' ? 0 : 1
}

async function attest(gates: GatePlace, [kind = '', tag = '']: string[], flags: Flags): Promise<number> {
  if (kind !== 'reviewed') throw new CommandFailure(`Only a review is attested by a person, not "${kind}".`)
  const { store } = gates
  const release = resolveRelease(store, tag)
  const now = new Date()
  const by = await identifyVoucher(store, { by: flags.by ?? '', proof: proofOf(flags) }, now)
  const commits = await commitsOf(gates, release)
  attestReview({ store, release, commits }, { by, digest: flags.digest ?? '', note: flags.note ?? '' }, now)
  console.log(`${by.name} has reviewed ${release.tag} (${release.digest.slice(0, 12)}, ${commits.length} commits)`)
  return 0
}

async function waive(
  gates: GatePlace,
  [environment = '', tag = '', kind = '']: string[],
  flags: Flags,
): Promise<number> {
  const { store, deps } = gates
  const wanted = kindNamed(kind)
  const release = resolveRelease(store, tag)
  const now = new Date()
  const expiresAt = waiveGate(
    { store, policy: deps.policy, release, commits: await commitsOf(gates, release) },
    {
      environment: environmentNamed(gates.environments, environment),
      kind: wanted,
      by: await identifyVoucher(store, { by: flags.by ?? '', proof: proofOf(flags) }, now),
      reason: flags.reason ?? '',
      lifetimeMs: parseDuration(flags.expires ?? '') ?? Number.NaN,
      requestedBy: flags['requested-by'] ?? whoRuns(),
    },
    now,
  )
  console.log(`"${gateKinds[wanted]}" is waived for ${release.tag} in ${environment} until ${expiresAt.toISOString()}`)
  console.log(risks[wanted])
  return 0
}

const proofOf = ({ token }: Flags): Proof =>
  token === undefined ? { askPassword: (name) => readPassword(`Password of ${name}: `) } : { token }

const commitsOf = ({ store, repositoryDir }: GatePlace, release: Release) =>
  commitsToReview({ store, repositoryDir }, release)

function kindNamed(text: string): GateKind {
  const kind = (Object.keys(gateKinds) as GateKind[]).find((one) => one === text)
  if (kind) return kind
  throw new CommandFailure(`There is no gate "${text}". There are: ${Object.keys(gateKinds).join(', ')}`)
}
