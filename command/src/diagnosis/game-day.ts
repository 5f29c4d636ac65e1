import { ensureSyntheticAccount } from '@dam/ops/src/verification/synthetic-account.ts'
import { cleanUpInjections } from '@dam/ops/src/diagnosis/drills/injection-store.ts'
import {
  endGameDayRow,
  refuseProduction,
  runGameDay,
  startGameDayRow,
} from '@dam/ops/src/diagnosis/drills/run-game-day.ts'
import { addressOf } from '@dam/ops/src/signals/collect-sample.ts'
import type { PlaybookName } from '@dam/ops/src/policy/policy.ts'
import path from 'node:path'
import { interruption } from '../backup-place.ts'
import { CommandFailure } from '../failure.ts'
import { operationsPlace } from '../operations.ts'
import { openDiagnosisPlace } from './diagnosis-place.ts'

type Values = {
  environment?: string | undefined
  host?: string | undefined
  by?: string | undefined
  json?: boolean | undefined
  variant?: string | undefined
  yes?: boolean | undefined
}

/** Injects an issue into staging or a local DAM, and scores how it was detected, diagnosed and resolved. */
export async function gameDay(issue: PlaybookName, values: Values): Promise<number> {
  using access = openDiagnosisPlace({
    ...values,
    environment: values.environment ?? (operationsPlace(values.host).hostDir === null ? undefined : 'staging'),
  })
  const { place, watch } = access
  try {
    refuseProduction(place, watch.policy.service.productionUrl)
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : String(error))
  }
  for (const left of await cleanUpInjections(place.store, watch.now))
    console.error(`took back what a game day had left: ${left}`)
  if (!values.yes)
    throw new CommandFailure(
      `This hurts ${place.environment.name} for a minute or two: its users get errors and wait. Say --yes.`,
    )
  if (place.connectionString === null)
    throw new CommandFailure(`The database of ${place.environment.name} does not run. Start DAM first.`)
  const address = addressOf(place.environment)
  const authorization = await signIn(
    address,
    place.connectionString,
    place.environment.runDir ?? path.join(place.environment.dataDir, 'ops'),
  )
  const row = startGameDayRow(place.store, { issue, environment: place.environment.name, now: watch.now })
  const report = await runGameDay(place, {
    issue,
    drill: {
      connectionString: place.connectionString,
      dataDir: place.environment.dataDir,
      address,
      random: Math.random,
    },
    ...(values.variant === undefined ? {} : { variant: values.variant }),
    authorization,
    who: watch.who,
    signal: interruption(),
    say: (line) => console.error(`  ${line}`),
  })
  endGameDayRow(place.store, row, report, new Date())
  const seconds = (ms: number | null): string => (ms === null ? 'never' : `${(ms / 1_000).toFixed(1)} s`)
  if (values.json) console.log(JSON.stringify({ drill: row, issue, ...report }, null, 2))
  else
    console.log(
      [
        `${report.isRight ? '✓' : '✗'} game day ${row}, ${issue}: ${report.describe}`,
        `  detected   ${seconds(report.detectedMs)}`,
        `  diagnosed  ${seconds(report.diagnosedMs)}  ${report.named ?? 'nothing'}${report.isRight ? '' : `, expected ${report.expected}`}`,
        `  resolved   ${seconds(report.resolvedMs)} after it was taken back`,
        ...(report.message ? [`  ${report.message}`] : []),
      ].join('\n'),
    )
  return report.isRight ? 0 : 1
}

async function signIn(address: string, connectionString: string, runDir: string): Promise<string> {
  const account = await ensureSyntheticAccount({ connectionString, runDir })
  const response = await fetch(`${address}/api/v4/auth/token/obtain/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
    signal: AbortSignal.timeout(10_000),
  })
  if (!response.ok) throw new CommandFailure(`Signing in at ${address} was answered ${response.status}.`)
  const { token } = (await response.json()) as { token: string }
  return `Token ${token}`
}
