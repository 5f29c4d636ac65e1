import path from 'node:path'
import { latestBackup } from '@dam/ops/src/backup/backup-store.ts'
import { activeRelease } from '@dam/ops/src/deployments/request-deployment.ts'
import { recordGate } from '@dam/ops/src/gates/gate-store.ts'
import { type MigrationTest, testMigrations } from '@dam/ops/src/migrations/test-migrations.ts'
import { installRelease } from '@dam/ops/src/releases/install-release.ts'
import type { Release } from '@dam/ops/src/releases/release.ts'
import { shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { type GatePlace, whoRuns } from './gate-place.ts'

/**
 * For each environment that is meant: on a scratch copy of its own newest backup, with the release that serves there as the old code.
 * Without a backup it begins with the schema of that release, without a release with an empty database.
 */
export async function runMigrationsGate(
  gates: GatePlace,
  release: Release,
  named: string | undefined,
): Promise<'pass' | 'fail'> {
  const environments = gates.environments.filter(({ name }) => named === undefined || name === named)
  if (environments.length === 0) throw new CommandFailure(`There is no environment "${named ?? ''}" on this host.`)
  const { dir } = await installRelease({ hostDir: gates.hostDir, release, say: console.log })
  const results = new Map<string, MigrationTest>()
  let isPassed = true
  for (const { name } of environments) {
    const active = activeRelease(gates.store, name)
    const old = active?.digest === release.digest ? null : active
    const backup = latestBackup(gates.store, name)
    console.log(`${name}: ${backup ? `on backup ${backup.id}` : 'no backup yet'}, old code ${old?.tag ?? 'none'}`)
    // Environments that have nothing of their own yet need one test.
    const key = `${backup?.id ?? ''} ${old?.digest ?? ''}`
    const result =
      results.get(key) ??
      (await testMigrations({
        newRelease: { tag: release.tag, dir },
        oldRelease: old
          ? {
              tag: old.tag,
              dir: (await installRelease({ hostDir: gates.hostDir, release: old, say: console.log })).dir,
            }
          : null,
        source: backup ? { kind: 'dump', file: path.join(backup.folder, 'database.dump') } : null,
        searchPath: shellEnvironment['PATH'] ?? '',
        now: new Date(),
        log: console.log,
      }))
    results.set(key, result)
    recordMigrations(gates, { release, environment: name, old: old?.tag ?? 'none', result })
    isPassed &&= result.ok
  }
  return isPassed ? 'pass' : 'fail'
}

function recordMigrations(
  { store }: GatePlace,
  { release, environment, old, result }: { release: Release; environment: string; old: string; result: MigrationTest },
): void {
  const broken = result.steps.find(({ ok }) => !ok)
  const tested = result.migrations.length > 0 ? result.migrations.join(', ') : 'no new migrations'
  const summary = broken
    ? `${broken.name}: ${broken.message}`
    : `${result.steps.length} steps on ${result.source}: ${tested}, old code ${old}`
  recordGate(
    store,
    {
      kind: 'migrations',
      digest: release.digest,
      environment,
      verdict: result.ok ? 'pass' : 'fail',
      evidence: { summary, details: result },
      by: whoRuns(),
      expiresAt: null,
    },
    new Date(),
  )
}
