import { parseArgs } from 'node:util'
import { restoreDrill } from '@dam/ops/src/backup/drill/restore-drill.ts'
import { withEnvironmentDatabase } from '@dam/ops/src/backup/environment-database.ts'
import { openStore } from '@dam/ops/src/store.ts'
import {
  applicationDirOf,
  chooseEnvironment,
  interruption,
  migrationsOfApplication,
  progressLine,
} from '../backup-place.ts'
import { shellEnvironment } from '../config.ts'
import { gameDay } from '../diagnosis/game-day.ts'
import { playbookNames } from '@dam/ops/src/policy/policy.ts'
import { CommandFailure } from '../failure.ts'
import { operationsPlace } from '../operations.ts'

export const help = `
Usage: ./dam drill restore [<environment>] [--json] [--host <folder>]
       ./dam drill errors|slow|memory|database|cdn [--environment staging|local] --yes [--variant <name>] [--json]

Proves that the newest backup comes back: restores it into a scratch database, compares every row, boots the application
on it with the backup's originals, reads a sample of them (all up to 1 000), downloads 20 through the API, measures each
phase and clears everything away. Ends with 1 when it fails. Nothing of the live DAM is touched.

The second line is a game day: it injects one of the runbook's five issues into staging or a local DAM (never into
production), lets the playbook find it, takes it back, and scores detect, diagnose and resolve. What a game day that was
killed has left behind is taken back at the next start of one, and by the ops process.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      host: { type: 'string' },
      environment: { type: 'string', short: 'e' },
      by: { type: 'string' },
      variant: { type: 'string' },
      yes: { type: 'boolean' },
    },
  })
  const [verb, name] = positionals
  const issue = playbookNames.find((one) => one === verb)
  if (issue && positionals.length === 1) return gameDay(issue, values)
  if (verb !== 'restore' || positionals.length > 2) throw new CommandFailure(help.trim())
  const place = operationsPlace(values.host)
  const environment = chooseEnvironment(place, name)
  using store = openStore(place.opsDir)
  using say = progressLine()
  const drill = await withEnvironmentDatabase(environment, (connectionString) =>
    restoreDrill(
      { store, backupsDir: place.backupsDir, connectionString },
      {
        environment,
        applicationDir: applicationDirOf(environment, store),
        migrations: migrationsOfApplication(environment, store),
        now: new Date(),
        shell: shellEnvironment,
        signal: interruption(),
        say,
      },
    ),
  )
  say[Symbol.dispose]()
  if (values.json) console.log(JSON.stringify(drill, null, 2))
  else {
    const { report } = drill
    console.log(
      `${drill.state === 'passed' ? '✓' : '✗'} drill ${drill.id} of ${drill.backupId ?? 'no backup'} ${drill.state}${report.message ? `: ${report.message}` : ''}`,
    )
    console.log(`  rows       ${(report.rows ?? 0).toLocaleString('en')} in ${report.tables} tables compared`)
    console.log(
      `  originals  ${report.originals?.known ?? 0}, ${report.originals?.sampled ?? 0} read; ${report.downloads?.right ?? 0} of ${report.downloads?.asked ?? 0} downloads right`,
    )
    for (const [phase, ms] of Object.entries(report.phasesMs ?? {}))
      console.log(`  ${phase.padEnd(10)} ${(ms / 1000).toFixed(1)} s`)
  }
  return drill.state === 'passed' ? 0 : 1
}
