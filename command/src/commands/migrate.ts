import { parseArgs } from 'node:util'
import { activeRelease } from '@dam/ops/src/deployments/request-deployment.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import { assertNoDeployment, MaintenanceRefused } from '@dam/ops/src/maintenance/switch-environment.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { label, listMigrations, migrate, planMigration } from '@dam/platform/migrate'
import { chosenConfig, chosenOptions } from '../chosen-config.ts'
import { withDatabase } from '../database-access.ts'
import { CommandFailure } from '../failure.ts'
import { migrateOperations } from '../migrate-operations.ts'
import { operationsPlace } from '../operations.ts'
import { apps, migrationsOf } from '../schema.ts'

export const help = `
Usage: ./dam migrate [<app> [<migration>]] [--list | --plan] [--environment <name>] [--host <folder>]

Brings the database schema up or down, in Django's words.

  ./dam migrate                   apply every migration of every app (${[...apps, 'ops'].join(', ')})
  ./dam migrate backend           apply every migration of one app
  ./dam migrate backend 0001      up or down until 0001 is the newest that is applied
  ./dam migrate backend zero      undo all of them

  ./dam migrate ops zero          the same for the operations' own store; down only while nothing works with it

  --list    print every migration, [X] where it is applied
  --plan    print what would be done and do nothing

On a prepared host, of --environment <name>: not while a deployment runs, and not below what the release that serves needs;
the way back of a release is ./dam rollback, which undoes migrations behind the maintenance page. --yes does it all the same.

Each migration runs in a transaction of its own and waits at most 2 s for a table in use, then tries again.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...chosenOptions, list: { type: 'boolean' }, plan: { type: 'boolean' }, yes: { type: 'boolean' } },
  })
  const [app, target = 'latest'] = positionals
  if (positionals.length > 2) throw new CommandFailure('Usage: ./dam migrate [<app> [<migration>]]')
  if (app === 'ops') return migrateOperations({ host: values.host, target, only: onlyOf(values) })
  const wanted = (app === undefined ? apps : [app]).map((name) => ({ app: name, migrations: migrationsOf(name) }))
  const { config, environment } = chosenConfig(values)
  if (environment && !values.list && !values.plan && !values.yes) assertServable(environment, values.host, target)
  await withDatabase(config, async (connectionString) => {
    for (const each of wanted) {
      const options = { ...each, connectionString, target, log: (message: string) => console.log(`  ${message}`) }
      if (values.list) await printList(options)
      else if (values.plan) printSteps(await planMigration(options))
      else await apply(options)
    }
  })
  return app === undefined ? migrateOperations({ host: values.host, target, only: onlyOf(values) }) : 0
}

const onlyOf = ({ list, plan }: { list?: boolean; plan?: boolean }): 'list' | 'plan' | undefined =>
  list ? 'list' : plan ? 'plan' : undefined

/** Throws when what serves the environment could not go on, or when a deployment is at work on the same schema. */
function assertServable(environment: Environment, host: string | undefined, target: string): void {
  using store = openStore(operationsPlace(host).opsDir)
  const serving = activeRelease(store, environment.name)
  try {
    assertNoDeployment(store, environment)
  } catch (error) {
    throw error instanceof MaintenanceRefused ? new CommandFailure(error.message) : error
  }
  const number = target === 'zero' ? 0 : Number(/^\d+/.exec(target)?.[0] ?? Infinity)
  if (!serving || number >= serving.schema.min) return
  throw new CommandFailure(
    `${serving.tag} serves ${environment.name} and needs migration ${String(serving.schema.min).padStart(4, '0')}: below it users would see errors.\n→ ./dam rollback ${environment.name} --plan shows the ways back; the same command with --yes does it all the same.`,
  )
}

async function apply(options: Parameters<typeof migrate>[0]): Promise<void> {
  console.log(`${options.app}: migrating to ${options.target ?? 'latest'}`)
  const steps = await migrate(options)
  if (options.target === 'latest') {
    const { migrateJobs } = await import('@dam/platform/jobs')
    await migrateJobs(options.connectionString)
  }
  console.log(steps.length === 0 ? '  nothing to do' : `  ${steps.length} done`)
}

async function printList(options: Parameters<typeof listMigrations>[0]): Promise<void> {
  console.log(options.app)
  for (const entry of await listMigrations(options)) {
    const mark = entry.appliedAt ? 'X' : ' '
    console.log(` [${mark}] ${entry.label}${entry.fromNewerRelease ? ' (of a newer release)' : ''}`)
  }
}

function printSteps(steps: Awaited<ReturnType<typeof planMigration>>): void {
  if (steps.length === 0) console.log('  nothing to do')
  for (const step of steps) console.log(`  ${step.direction === 'up' ? 'apply' : 'undo '} ${label(step)}`)
}
