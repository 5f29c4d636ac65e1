import type { Log } from '@dam/platform/log'
import { listBackups } from '../backup/backup-store.ts'
import { readPointer } from '../deployments/pointer-store.ts'
import { listSlots } from '../deployments/slot-store.ts'
import { outsideHeartbeat } from '../dead-man/outside-heartbeat.ts'
import type { Environment } from '../environments/environment.ts'
import { readSyntheticSecret } from '../environments/synthetic-secret.ts'
import { createMaintenance, isMutedByMaintenance } from '../maintenance/maintain.ts'
import type { NotifyConfig } from '../notify/notify-settings.ts'
import { openChannels, startSender } from '../notify/start-sender.ts'
import type { Policy } from '../policy/policy.ts'
import { openCollector } from '../signals/collect-sample.ts'
import type { Sample } from '../signals/sample.ts'
import type { Store } from '../store.ts'
import { type EngineDeps, startEngine } from './start-engine.ts'

export type WatchInput = {
  store: Store
  policy: () => Policy
  config: NotifyConfig
  environments: () => readonly Environment[]
  consoleUrl: string
  /** Of the operations' store. */
  folder: string
  log: Log
  onOpened?: EngineDeps['onOpened']
  isHeld?: EngineDeps['isHeld']
}

/** Everything that watches and tells: the engine, and the sender of its messages. */
export function startWatch(input: WatchInput): AsyncDisposable {
  const { store, log } = input
  const { heartbeatUrl } = input.config
  const channels = openChannels(input.config, input.consoleUrl)
  const sender = startSender({
    store,
    channels,
    config: input.config,
    policy: input.policy,
    say: (message) => log.warn(message),
  })
  const maintenance = createMaintenance({
    store,
    policy: input.policy,
    environments: input.environments,
    consoleUrl: input.consoleUrl,
    onError: (what, error) => log.error(what, { error, code: 'maintenance' }),
  })
  const engine = startEngine({
    store,
    policy: input.policy,
    environments: input.environments,
    collectorOf: (environment) => collectorOf(store, environment),
    isExpected: ({ isLocal, name }) => isLocal || readPointer(store, name) !== undefined,
    isMuted: (environment) => isMutedByMaintenance(store, environment),
    maintain: (now) => void maintenance.turn(now),
    onOpened: input.onOpened ?? (() => undefined),
    ...(input.isHeld ? { isHeld: input.isHeld } : {}),
    consoleUrl: input.consoleUrl,
    folder: input.folder,
    log,
    ...(heartbeatUrl ? { onHeartbeat: outsideHeartbeat(heartbeatUrl.reveal(), (message) => log.warn(message)) } : {}),
  })
  return {
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]()
      await sender[Symbol.asyncDispose]()
      await channels[Symbol.asyncDispose]()
    },
  }
}

function collectorOf(store: Store, environment: Environment): (now: Date) => Promise<Sample> {
  const secondsSince = (at: string | null | undefined, now: Date): number | null =>
    at === null || at === undefined ? null : Math.max(0, (now.getTime() - Date.parse(at)) / 1_000)
  return openCollector({
    environment,
    syntheticSecret: environment.runDir === null ? null : readSyntheticSecret(environment.runDir),
    crashes: () =>
      environment.isLocal
        ? null
        : listSlots(store, environment.name).reduce(
            (sum, { observed }) => sum + (observed?.web.crashes ?? 0) + (observed?.worker.crashes ?? 0),
            0,
          ),
    ages: (now) => ({
      backupSeconds: secondsSince(
        listBackups(store, environment.name).find(({ state }) => state === 'ok' || state === 'verified')?.startedAt,
        now,
      ),
      drillSeconds: secondsSince(
        store.row<{ at: string | null }>(
          `select max(ended_at) as at from drill where kind = 'restore' and environment = ? and state = 'passed'`,
          environment.name,
        )?.at,
        now,
      ),
    }),
  })
}
