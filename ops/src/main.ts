import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLog } from '@dam/platform/log'
import manifest from '../../package.json' with { type: 'json' }
import { createApp } from './app.ts'
import { openAlertDiagnosis } from './diagnosis/diagnose-alert.ts'
import { cleanUpInjections } from './diagnosis/drills/injection-store.ts'
import { memoryJob } from './diagnosis/memory-job.ts'
import { startWatch } from './engine/start-watch.ts'
import { watchMetrics } from './engine/watch-metrics.ts'
import { followPolicy } from './policy/follow-policy.ts'
import { readOpsConfig, shellEnvironment, type OpsConfig } from './config.ts'
import { hostFolders, type Environment } from './environments/environment.ts'
import { readEnvironments, readHost } from './environments/host.ts'
import { localEnvironment } from './environments/local-environment.ts'
import { createConfiguredAdministrator, ensureSetupLink } from './people/setup.ts'
import { openChannels } from './notify/start-sender.ts'
import { channelTestJob } from './notify/test-channels.ts'
import { openStore } from './store.ts'
import { telemetryJob } from './telemetry/telemetry-job.ts'

/** The ops process: console and API of operations. It needs its store and nothing of the application or its database. */
process.title = 'dam: ops'

const stopBoundMs = 10_000

let config: OpsConfig
try {
  config = readOpsConfig(shellEnvironment)
  if (config.hostDir !== undefined) config = readOpsConfig(shellEnvironment, readHost(config.hostDir).ops)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(2)
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const folders = config.hostDir === undefined ? undefined : hostFolders(config.hostDir)
const log = openLog({
  directory: folders?.logs ?? path.join(config.dataDir, 'logs'),
  process: 'ops',
  level: config.logLevel,
  stdout: config.logToStdout,
})
const opsDir = folders?.ops ?? path.join(config.dataDir, 'ops')
const store = openStore(opsDir)
if (config.opsAdminUsername !== undefined && config.opsAdminPassword !== undefined) {
  const administrator = { username: config.opsAdminUsername, password: config.opsAdminPassword }
  if (await createConfiguredAdministrator(store, administrator, new Date()))
    log.info('first administrator of the console created from the settings', { username: administrator.username })
}
const { hostDir } = config
const local = localEnvironment(config)
const environments = (): Environment[] => (hostDir === undefined ? [local] : readEnvironments(hostDir))

const consoleUrl = config.opsPublicUrl ?? `http://${config.opsHost}:${config.opsPort}`
const policyOf = followPolicy({
  ...(config.policyFile === undefined ? {} : { file: config.policyFile }),
  onChange: ({ file, hash }) => log.info('policy changed', { file, hash }),
  onMistake: (error) => log.error('the changed policy cannot be used; the last good one stays in force', { error }),
})
const channels = openChannels(config, consoleUrl)
const app = createApp({
  config,
  store,
  environments,
  log,
  version: manifest.version,
  root,
  environment: shellEnvironment,
  policy: () => policyOf().policy,
  policyHash: () => policyOf().hash,
  outputs: path.join(opsDir, 'actions'),
  jobs: [
    memoryJob(store, environments),
    ...telemetryJob({ store, policy: () => policyOf().policy, environments, version: manifest.version, config }),
    channelTestJob({
      store,
      policy: () => policyOf().policy,
      channels,
      modeOf: (kind) => config.notifyModes?.get(kind) ?? 'live',
    }),
  ],
  metrics: [watchMetrics({ store, environments, folder: opsDir })],
})
const diagnosis = openAlertDiagnosis({
  store,
  policy: () => policyOf().policy,
  shell: shellEnvironment,
  log,
})
const watch = startWatch({
  onOpened: diagnosis.onOpened,
  isHeld: diagnosis.isHeld,
  store,
  policy: () => policyOf().policy,
  config,
  environments,
  consoleUrl,
  folder: opsDir,
  log,
})

let isStopping = false
const stop = (why: string, code: number): void => {
  if (isStopping) return
  isStopping = true
  log.info('stopping', { why })
  setTimeout(() => process.exit(1), stopBoundMs).unref()
  Promise.all([
    app.close(),
    watch[Symbol.asyncDispose](),
    diagnosis[Symbol.asyncDispose](),
    channels[Symbol.asyncDispose](),
  ]).then(
    () => {
      store.close()
      process.exit(code)
    },
    (error: unknown) => {
      log.error('stopping failed', { error })
      process.exit(1)
    },
  )
}
process.on('SIGTERM', () => stop('SIGTERM', 0))
process.on('SIGINT', () => stop('SIGINT', 0))
// The supervisor that started us has died.
process.on('disconnect', () => stop('supervisor gone', 0))
process.on('uncaughtException', (error) => {
  log.error('unexpected error; this process restarts', { error, code: 'crash' })
  stop('unexpected error', 1)
})
try {
  await app.http.listen({ host: config.opsHost, port: config.opsPort })
} catch (error) {
  console.error(
    `The console cannot listen on ${config.opsHost}:${config.opsPort} (${error instanceof Error ? error.message : String(error)}). Choose another port with OPS_PORT.`,
  )
  process.exit(1)
}
log.info('ops process listens', { host: config.opsHost, port: config.opsPort, version: manifest.version })
process.send?.('ready')
cleanUpInjections(store, new Date()).then(
  (left) => left.forEach((one) => log.warn('took back what a game day had left behind', { injection: one })),
  (error: unknown) => log.error('what a game day has left behind could not be taken back', { error }),
)
// `./dam up` prints the link itself.
if (hostDir !== undefined) {
  const setupLink = ensureSetupLink(store, consoleUrl, new Date())
  if (setupLink)
    console.log(`  Create the first operator of the console with this link; it works once:\n  ${setupLink}`)
}
if (process.connected === false) stop('supervisor gone', 0)
