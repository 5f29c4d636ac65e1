// Runs once at each start, as a process of its own so that what it loads does not stay in memory:
// brings the schema up to date and sees to the first administrator. Sends its answer to the parent.
import path from 'node:path'
import { readConfig } from '@dam/backend/src/config.ts'
import { hasAccounts } from '@dam/backend/src/people/account-store.ts'
import { createConfiguredAdministrator, ensureSetupLink } from '@dam/backend/src/people/setup.ts'
import { openDatabase } from '@dam/platform/database'
import { migrateJobs } from '@dam/platform/jobs'
import { label, migrate } from '@dam/platform/migrate'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import {
  createConfiguredAdministrator as createConfiguredOperator,
  ensureSetupLink as ensureOpsSetupLink,
} from '@dam/ops/src/people/setup.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { shellEnvironment } from '../config.ts'
import { apps, migrationsOf } from '../schema.ts'
import type { Prepared, PreparedOperations } from './prepared.ts'

process.title = 'dam: prepare'
const connectionString = shellEnvironment['DATABASE_URL'] ?? ''
const [address = '', opsAddress = ''] = process.argv.slice(2)
const { config } = readConfig(shellEnvironment)

const answer = await prepare().catch((error: unknown): Prepared => ({
  kind: 'failed',
  message: error instanceof Error ? error.message : String(error),
}))
process.send?.(answer, () => process.exit())

async function prepare(): Promise<Prepared> {
  const applied: string[] = []
  for (const app of apps) {
    const steps = await migrate({ connectionString, app, migrations: migrationsOf(app) })
    applied.push(...steps.map((step) => `${app} ${label(step)}`))
  }
  await migrateJobs(connectionString)
  const operations = await prepareOperations().catch((error: unknown): PreparedOperations => ({
    kind: 'failed',
    message: error instanceof Error ? error.message : String(error),
  }))
  const database = openDatabase({ connectionString, applicationName: 'dam: prepare', maxConnections: 2 })
  try {
    if (await hasAccounts(database))
      return { kind: 'prepared', applied, setupLink: null, administrator: null, operations }
    const { adminUsername: username, adminPassword: password } = config
    if (username !== undefined && password !== undefined) {
      await createConfiguredAdministrator(database, { username, password })
      return { kind: 'prepared', applied, setupLink: null, administrator: username, operations }
    }
    return {
      kind: 'prepared',
      applied,
      setupLink: await ensureSetupLink(database, address),
      administrator: null,
      operations,
    }
  } finally {
    await database.end()
  }
}

async function prepareOperations(): Promise<PreparedOperations> {
  const opsConfig = readOpsConfig(shellEnvironment)
  using store = openStore(path.join(opsConfig.dataDir, 'ops'))
  const { opsAdminUsername: username, opsAdminPassword: password } = opsConfig
  const now = new Date()
  if (username !== undefined && password !== undefined) {
    const isNew = await createConfiguredOperator(store, { username, password }, now)
    return { kind: 'prepared', setupLink: null, administrator: isNew ? username : null }
  }
  return { kind: 'prepared', setupLink: ensureOpsSetupLink(store, opsAddress, now), administrator: null }
}
