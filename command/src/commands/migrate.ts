import { parseArgs } from 'node:util'
import { label, listMigrations, migrate, planMigration } from '@dam/platform/migrate'
import { readEffectiveConfig } from '../config.ts'
import { withDatabase } from '../database-access.ts'
import { CommandFailure } from '../failure.ts'
import { migrateOperations } from '../migrate-operations.ts'
import { apps, migrationsOf } from '../schema.ts'

export const help = `
Usage: ./dam migrate [<app> [<migration>]] [--list | --plan] [--host <folder>]

Brings the database schema up or down, in Django's words.

  ./dam migrate                   apply every migration of every app (${[...apps, 'ops'].join(', ')})
  ./dam migrate backend           apply every migration of one app
  ./dam migrate backend 0001      up or down until 0001 is the newest that is applied
  ./dam migrate backend zero      undo all of them

  ./dam migrate ops zero          the same for the operations' own store; down only while nothing works with it

  --list    print every migration, [X] where it is applied
  --plan    print what would be done and do nothing

Each migration runs in a transaction of its own and waits at most 2 s for a table in use, then tries again.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { list: { type: 'boolean' }, plan: { type: 'boolean' }, host: { type: 'string' } },
  })
  const [app, target = 'latest'] = positionals
  if (positionals.length > 2) throw new CommandFailure('Usage: ./dam migrate [<app> [<migration>]]')
  if (app === 'ops') return migrateOperations({ host: values.host, target, only: onlyOf(values) })
  const wanted = (app === undefined ? apps : [app]).map((name) => ({ app: name, migrations: migrationsOf(name) }))
  const { config } = readEffectiveConfig()
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
