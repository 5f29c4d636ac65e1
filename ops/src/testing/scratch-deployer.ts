import { createHash } from 'node:crypto'
import type { DeployerDeps, Progress } from '../deployments/deployer-deps.ts'
import { type DeployPolicy, defaultDeployPolicy } from '../deployments/deploy-policy.ts'
import { environmentOf, readHost } from '../environments/host.ts'
import { readSyntheticSecret } from '../environments/synthetic-secret.ts'
import { type GateKind, gateKinds, type GateStatus } from '../gates/gate.ts'
import { createFrontClient } from '../front/front-client.ts'
import { enqueue } from '../notify/outbox-store.ts'
import { hostFolders } from '../environments/environment.ts'
import path from 'node:path'
import { defaultBakePolicy } from '../judge/bake-policy.ts'
import type { ReleaseCondition } from '../releases/release-condition.ts'
import type { Release } from '../releases/release.ts'
import type { Store } from '../store.ts'
import { findSmoke } from '../verification/find-facts.ts'
import type { JourneyResult } from '../verification/journey.ts'

/** Seconds become fractions: what takes a quarter of an hour in earnest takes `bakeMs` here. */
export const quickPolicy = (bakeMs = 2_000): DeployPolicy => ({
  ...defaultDeployPolicy('staging'),
  bake: { ...defaultBakePolicy, bakeMs },
  extendMs: bakeMs,
  nextLookAfterMs: () => 200,
  ready: { times: 3, everyMs: 50, withinMs: 10_000 },
  frontWithinMs: 10_000,
})

/**
 * A deployer of staging for miniature releases: store, lease, keeper, front, slots, judge, outbox and ledger are the real ones;
 * gates are given, journeys are plain requests, and nothing is backed up because a miniature has no data.
 */
export function scratchDeployer(
  hostDir: string,
  store: Store,
  options: {
    policy?: DeployPolicy
    databaseUrl: string
    gates?: Partial<Record<GateKind, GateStatus['state']>>
    who?: string
    onProgress?: (event: Progress) => void
    conditionOf?: (release: Release) => ReleaseCondition
  },
): DeployerDeps {
  const { runDir, ...environment } = environmentOf(hostDir, 'staging')
  if (runDir === null) throw new Error('staging has no run folder')
  const secret = readSyntheticSecret(runDir)
  const journey = async (baseUrl: string, requests: number, tag: string | null): Promise<JourneyResult> => {
    const begin = performance.now()
    const startedAt = new Date().toISOString()
    const steps: JourneyResult['steps'] = []
    for (let i = 0; i < requests; i++) {
      const from = performance.now()
      const message = await fetch(`${baseUrl}/api/assets?${i}`, {
        headers: { 'x-dam-synthetic': secret },
        signal: AbortSignal.timeout(5_000),
      }).then(
        async (response) => {
          await response.body?.cancel()
          const served = response.headers.get('x-served-by')
          if (tag !== null && response.ok && served !== tag) return `served by ${served ?? 'nobody'}`
          return response.ok ? '' : String(response.status)
        },
        (error: unknown) => String(error),
      )
      steps.push({ name: `request ${i}`, ok: message === '', tookMs: performance.now() - from, message })
      if (message !== '') break
    }
    return { ok: steps.every(({ ok }) => ok), startedAt, tookMs: performance.now() - begin, steps }
  }
  const publicUrl = environment.publicUrl
  const folderOf = ({ tag, digest }: Release): string =>
    path.join(hostFolders(hostDir).releases, `${tag}-${digest.slice(0, 12)}`)
  return {
    store,
    hostDir,
    environment: { ...environment, runDir },
    slotPorts: readHost(hostDir).slotPorts,
    policy: options.policy ?? quickPolicy(),
    who: options.who ?? 'anna',
    now: () => new Date(),
    front: createFrontClient(path.join(runDir, 'front.sock')),
    installRelease: (release) => Promise.resolve({ dir: folderOf(release) }),
    conditionOf: (release) =>
      Promise.resolve(options.conditionOf?.(release) ?? { artifactProblem: null, intactFolder: folderOf(release) }),
    evaluateGates: () =>
      Promise.resolve(
        (Object.keys(gateKinds) as GateKind[]).map((kind) => ({
          kind,
          title: gateKinds[kind],
          state: options.gates?.[kind] ?? 'pass',
          evidence: { summary: 'given by the test' },
          by: 'test',
          at: null,
          expiresAt: null,
          remedy: null,
        })),
      ),
    createBackup: (neededBy) =>
      Promise.resolve({
        id: `backup-${createHash('sha256').update(neededBy).digest('hex').slice(0, 8)}`,
        environment: 'staging',
        state: 'ok',
        startedAt: new Date().toISOString(),
        endedAt: new Date().toISOString(),
        folder: '',
        sizeBytes: 0,
        schemaNumber: 0,
        message: '',
      }),
    latestBackup: () => undefined,
    databaseUrl: () => options.databaseUrl,
    warmUp: ({ baseUrl, release }) => journey(baseUrl, 3, release.tag),
    verify: async (release) => [
      { item: 'smoke', title: 'Smoke tests pass', ...findSmoke(await journey(publicUrl, 3, release.tag)) },
    ],
    topUp: async () => void (await Promise.all(Array.from({ length: 30 }, () => journey(publicUrl, 10, null)))),
    notify: (message, key) => enqueue(store, message, { channels: ['record'], key, now: new Date() }),
    onCall: () => 'anna',
    progress: options.onProgress ?? (() => undefined),
  }
}
