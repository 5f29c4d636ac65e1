import { parseArgs } from 'node:util'
import { manifest } from '@dam/backend/src/config.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import { activeRelease } from '@dam/ops/src/deployments/request-deployment.ts'
import type { ChecklistLine, ChecklistName } from '@dam/ops/src/verification/checklist.ts'
import { exitCodeOf } from '@dam/ops/src/verification/evaluate-checklist.ts'
import { verifyEnvironment, type Verification } from '@dam/ops/src/verification/verify-environment.ts'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { chooseEnvironment } from '../backup-place.ts'
import { CommandFailure } from '../failure.ts'
import { openWatchPlace, type WatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam verify [staging|production|local] [--no-journey] [--json] [--host <folder>]

The runbook's checklists after a deployment, line by line with evidence: Staging Verification for staging,
Post-Deployment Verification for production, both for the DAM of ./dam up. Without a name: everything there is.
✓ passed, ✗ failed, ? not known or a person's word is missing (./dam attest).

  health       /health and /api/health answer the runbook's bodies, with the version that should serve
  smoke        sign in, upload, ingest, search, rendition, download, delete, on assets made for it (--no-journey: left out)
  performance  p95 of the last hour against its target
  monitoring   the engine watches, no alert fires, key metrics are within the policy's targets
  logs         no kind of error since the cut-over that was not there before
  feedback     what people say in the product, where five or more did
  features     only people know: ./dam attest staging features --by <name> --note <what was seen>

Ends with 0 when every line has passed or is attested, 1 when something failed or is not known, 2 when only a person's
word is missing. A word given before the release began to serve does not count.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      'no-journey': { type: 'boolean', default: false },
      host: { type: 'string' },
    },
  })
  if (positionals.length > 1) throw new CommandFailure(help.trim())
  using watch = openWatchPlace(values.host)
  const environments =
    positionals[0] === undefined ? watch.place.environments : [chooseEnvironment(watch.place, positionals[0])]
  const verifications: Verification[] = []
  for (const environment of environments)
    verifications.push(await verify(watch, environment, { withJourney: !values['no-journey'] }))
  const lines = verifications.flatMap(({ lists }) => lists.flatMap((list) => list.lines))
  const exitCode = exitCodeOf(lines)
  if (values.json) console.log(JSON.stringify({ exitCode, verifications }, null, 2))
  else {
    console.log(verifications.map(textOf).join('\n\n'))
    console.log(`\n${['Everything is verified.', 'Not verified.', "A person's word is missing."][exitCode]}`)
  }
  return exitCode
}

function verify(
  { store, policy, place }: WatchPlace,
  environment: Environment,
  { withJourney }: { withJourney: boolean },
): Promise<Verification> {
  const running = environment.databaseUrl === null ? describeRunningPostgres(environment.dataDir) : null
  return verifyEnvironment({
    environment,
    store,
    policy,
    opsDir: place.opsDir,
    connectionString: environment.databaseUrl ?? (running?.ready ? running.connectionString : null),
    version: environment.isLocal ? manifest.version : activeRelease(store, environment.name)?.version,
    journey: withJourney ? null : false,
    now: new Date(),
  })
}

const titles: Record<ChecklistName, string> = {
  staging: 'Staging Verification',
  production: 'Post-Deployment Verification',
}
const marks: Record<ChecklistLine['state'], string> = {
  pass: '✓',
  attested: '✓',
  fail: '✗',
  unknown: '?',
  'attestation-missing': '?',
}

function textOf({ environment, since, lists }: Verification): string {
  return lists
    .map(({ name, lines }) => {
      const width = Math.max(...lines.map(({ title }) => title.length))
      const shown = lines.map(
        ({ title, state, evidence }) => `${marks[state]} ${title.padEnd(width)}  ${wordOf(state)}${evidence}`,
      )
      return [`${titles[name]}: ${environment} (errors since ${since.slice(0, 16)}Z)`, ...shown].join('\n')
    })
    .join('\n\n')
}

const wordOf = (state: ChecklistLine['state']): string =>
  state === 'attested' ? 'vouched for by ' : state === 'attestation-missing' ? 'somebody has to say so: ' : ''
