import { readFileSync } from 'node:fs'
import path from 'node:path'
import { heartbeatFile } from '@dam/ops/src/dead-man/heartbeat-file.ts'
import { keeperOf } from '@dam/ops/src/environments/host-status.ts'
import { livingHolder } from '@dam/ops/src/deployments/lease-store.ts'
import { openStore, storeMigrationsDir, withStoreFile } from '@dam/ops/src/store.ts'
import { appliedToStore, migrateStore, planStore, type StoreStep } from '@dam/ops/src/store-migrations.ts'
import { lockHolder } from '@dam/platform/exclusive-lock'
import { label, readMigrations, type Target } from '@dam/platform/migrate'
import { processIdentity } from '@dam/platform/process-identity'
import { CommandFailure } from './failure.ts'
import { type OperationsPlace, operationsPlace } from './operations.ts'

/** `./dam migrate ops`: the operations' own store. Up is what every command does when it opens the store; down is refused while anything works with it. */
export function migrateOperations(options: {
  host: string | undefined
  target: Target
  only: 'list' | 'plan' | undefined
}): number {
  const { target, only } = options
  const place = operationsPlace(options.host)
  const migrations = readMigrations(storeMigrationsDir)
  const plan = withStoreFile(place.opsDir, (file) => ({
    applied: appliedToStore(file),
    steps: planStore(file, migrations, target),
  }))
  const applied = plan?.applied ?? []
  if (only === 'list') {
    console.log('ops')
    const newer = applied.filter(({ number }) => !migrations.some((migration) => migration.number === number))
    for (const migration of migrations)
      console.log(` [${applied.some(({ number }) => number === migration.number) ? 'X' : ' '}] ${label(migration)}`)
    for (const row of newer) console.log(` [X] ${label(row)} (of a newer release)`)
    return 0
  }
  const upwards = (): StoreStep[] => migrations.map(({ number, name }) => ({ direction: 'up', number, name }))
  const steps = plan?.steps ?? (target === 'zero' ? [] : upwards())
  console.log(`ops: ${only === 'plan' ? 'to' : 'migrating to'} ${target}`)
  for (const step of steps) console.log(`  ${step.direction === 'up' ? 'apply' : 'undo '} ${label(step)}`)
  if (steps.length === 0) console.log('  nothing to do')
  if (only === 'plan' || steps.length === 0) return 0
  if (steps.some(({ direction }) => direction === 'down')) refuseWhileInUse(place)
  // Makes the folder and the store where there is none.
  if (plan === null) openStore(place.opsDir).close()
  withStoreFile(place.opsDir, (file) => migrateStore(file, migrations, target))
  console.log(`  ${steps.length} done`)
  return 0
}

/** Whoever works with the store would go on without its tables. */
function refuseWhileInUse({ hostDir, opsDir, environments }: OperationsPlace): void {
  const users: string[] = []
  const supervisor = lockHolder(path.join(opsDir, 'up.lock'))?.['pid']
  if (supervisor !== undefined) users.push(`./dam host up (process ${String(supervisor)})`)
  const ops = heartbeatProcess(opsDir)
  if (ops !== null) users.push(`the ops process (${ops})`)
  for (const { name, runDir } of environments) {
    const keeper = runDir === null ? null : keeperOf(runDir)
    if (keeper !== null) users.push(`the keeper of ${name} (process ${keeper})`)
  }
  using store = openStore(opsDir)
  for (const { name } of environments) {
    const deployer = livingHolder(store, name, new Date())
    if (deployer) users.push(`${deployer.who}, who ${deployer.purpose} on ${name} (process ${deployer.pid})`)
  }
  if (users.length === 0) return
  const stop = hostDir === null ? 'Stop ./dam up' : './dam host stop ends them; DAM itself keeps serving'
  throw new CommandFailure(`The operations store is in use by ${users.join(', ')}. ${stop}.`)
}

/** The engine beats every 15 s; its process may be gone, or another may have its number since. */
function heartbeatProcess(opsDir: string): number | null {
  try {
    const { pid, at } = JSON.parse(readFileSync(heartbeatFile(opsDir), 'utf8')) as { pid: number; at: string }
    return Date.now() - Date.parse(at) < 60_000 && processIdentity(pid) ? pid : null
  } catch {
    return null
  }
}
