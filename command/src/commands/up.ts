import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dataFolders, manifest } from '@dam/backend/src/config.ts'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import { startDeadMan } from '@dam/ops/src/dead-man/start-dead-man.ts'
import { sayUnset } from '@dam/ops/src/notify/describe-channels.ts'
import { type EmbeddedPostgres, startPostgres } from '@dam/platform/postgres/start'
import { type Effective, readEffectiveConfig, root } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { buildFrontend } from '../frontend.ts'
import { agreeOnPort, publicAddress } from '../up/address.ts'
import { keepChild, type KeptChild } from '../up/child.ts'
import { claimDataFolder } from '../up/data-folder.ts'
import { type Interruption, InterruptedError, listenForInterruption } from '../up/interruption.ts'
import { prepareDatabase, type PreparedOperations } from '../up/prepared.ts'
import { untilReady } from '../up/readiness.ts'

export const help = `
Usage: ./dam up [--port <number>|auto] [--ops-port <number>|auto] [--host <address>] [--data <folder>] [--log]
       npm start does the same.

Starts DAM and keeps it running until Ctrl-C: the built-in PostgreSQL (unless DATABASE_URL names another), the schema
brought up to date, the web application built when its sources changed, then the processes of DAM: web, worker
and the operations console, which are started again when they end. DAM runs without the console when that does not start.

  --port      port to listen on (PORT, default 8080); auto takes the next free one when it is in use, for the console too
  --ops-port  port of the operations console (OPS_PORT, default 8081), or auto
  --host      address to listen on (HOST, default localhost); 0.0.0.0 opens DAM to the network. The console has OPS_HOST
  --data      the one folder that holds all state (DAM_DATA, default ./data)
  --log       print the log here as well, one JSON line per event; it is in <data>/logs/app.log in any case

On the very first start it prints a link with which you create the first administrator; DAM_ADMIN_USERNAME and
DAM_ADMIN_PASSWORD create one without a person. The console has a link, and OPS_ADMIN_USERNAME and OPS_ADMIN_PASSWORD,
of its own. Settings come from the environment or from a file .env at the root of
the checkout; .env.example describes each, and ./dam config prints what is in effect.

Ctrl-C stops everything in order; a second one forces it. Killing any part of it loses nothing: start it again.
`

const failuresBeforeGivingUp = 3

/**
 * Young garbage is collected early, old garbage not before there is some: buffers of uploads otherwise start a full
 * collection every 10 MB, which is half of what an upload costs. Both together save 100 MB under load (`bench ingest`).
 */
const nodeFlags = {
  web: ['--max-semi-space-size=2', '--initial-old-space-size=96'],
  worker: ['--max-semi-space-size=2'],
  ops: ['--max-semi-space-size=1'],
} as const
/** Syncs of parallel uploads wait in threads; more of them, and few memory pools for them to spread over. */
const nativeEnvironment = { UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '2' }

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string' },
      'ops-port': { type: 'string' },
      host: { type: 'string' },
      data: { type: 'string' },
      log: { type: 'boolean', default: false },
    },
  })
  process.title = 'dam: up'
  const startedAt = performance.now()
  const automatic = values.port === 'auto'
  const opsAutomatic = values['ops-port'] === 'auto' || (automatic && values['ops-port'] === undefined)
  const effective = readEffectiveConfig({
    PORT: automatic ? undefined : values.port,
    OPS_PORT: values['ops-port'] === 'auto' ? undefined : values['ops-port'],
    HOST: values.host,
    DAM_DATA: values.data,
  })
  const running: Running = { children: [], postgres: undefined }
  const interruption = listenForInterruption(() => void endByForce(running))
  try {
    await using _stack = await start({
      effective,
      automatic,
      opsAutomatic,
      showLog: values.log,
      running,
      interruption,
      startedAt,
    })
    await interruption.asked
    say('stopping …')
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error
  }
  say('stopped')
  return 0
}

type Running = { children: KeptChild[]; postgres: EmbeddedPostgres | undefined }

/** Everything that runs, to be disposed in reverse: web first, the database and the claim on the data last. */
async function start(options: {
  effective: Effective
  automatic: boolean
  opsAutomatic: boolean
  showLog: boolean
  running: Running
  interruption: Interruption
  startedAt: number
}): Promise<AsyncDisposableStack> {
  const { effective, running, interruption } = options
  const { config } = effective
  const { signal } = interruption
  const ops = readOpsConfig(effective.environment)
  const { automatic, opsAutomatic } = options
  const port = await agreeOnPort({
    host: config.host,
    port: config.port,
    variable: 'PORT',
    hostVariable: 'HOST',
    flag: '--port',
    automatic,
  })
  const address = publicAddress(config, port)
  console.log(`DAM ${manifest.version}`)
  await using stack = new AsyncDisposableStack()
  stack.use(claimDataFolder(config.dataDir, address))
  const opsPort = await agreeOnPort({
    host: ops.opsHost,
    port: ops.opsPort,
    variable: 'OPS_PORT',
    hostVariable: 'OPS_HOST',
    flag: '--ops-port',
    automatic: opsAutomatic,
    taken: port,
  })
  const opsAddress = publicAddress({ publicUrl: ops.opsPublicUrl, host: ops.opsHost }, opsPort)

  const givenUp = new AbortController()
  stack.defer(() => givenUp.abort())
  const building = buildFrontend({ force: false, say, signal: AbortSignal.any([signal, givenUp.signal]) })
  building.catch(() => undefined)
  const environment: Record<string, string | undefined> = {
    ...effective.environment,
    HOST: config.host,
    PORT: String(port),
    OPS_HOST: ops.opsHost,
    OPS_PORT: String(opsPort),
    // This is a DAM of its own, whatever host there is beside it.
    DAM_HOST_DIR: undefined,
    DAM_DATA: config.dataDir,
    DAM_LOG_STDOUT: options.showLog ? 'yes' : 'no',
    ...(config.databaseUrl ? {} : { DATABASE_URL: await startBuiltIn(config.dataDir, running, stack) }),
  }
  signal.throwIfAborted()
  const prepared = await prepareDatabase({ environment, address, opsAddress, signal })
  for (const migration of prepared.applied) say(`migrated: ${migration}`)
  await building
  signal.throwIfAborted()

  for (const name of ['ops', 'worker', 'web'] as const) {
    const program =
      name === 'ops' ? [path.join(root, 'ops/src/main.ts')] : [path.join(root, 'backend/src/main.ts'), name]
    const child = keepChild({
      name,
      command: process.execPath,
      args: [...nodeFlags[name], ...program],
      cwd: root,
      env: { ...nativeEnvironment, ...environment },
      showLog: options.showLog,
      stopBoundMs: 32_000,
      say,
    })
    running.children.push(child)
    stack.use(child)
  }
  await untilReady({
    host: config.host,
    port,
    check: () => {
      signal.throwIfAborted()
      const failing = running.children.find((child) => child.name !== 'ops' && child.failures >= failuresBeforeGivingUp)
      if (!failing) return
      throw new CommandFailure(`${failing.name} does not start. What it said is above and in ${logFile(config)}.`)
    },
  })
  const seconds = ((performance.now() - options.startedAt) / 1000).toFixed(1)
  console.log(`DAM is ready at ${address}  (${seconds} s)\n`)
  if (prepared.setupLink) {
    console.log(`  Create the first administrator with this link; it works once:\n  ${prepared.setupLink}\n`)
  }
  if (prepared.administrator)
    console.log(`  The administrator "${prepared.administrator}" was created from the settings.\n`)
  await sayConsole(running, prepared.operations, { address: opsAddress, messages: sayUnset(ops), signal })
  const opsChild = running.children.find(({ name }) => name === 'ops')
  if (prepared.operations.kind === 'prepared')
    stack.use(
      startDeadMan({
        folder: path.join(config.dataDir, 'ops'),
        config: ops,
        consoleUrl: publicAddress({ publicUrl: undefined, host: ops.opsHost }, opsPort),
        onHanging: () => opsChild?.replace(),
        say,
      }),
    )
  console.log(`  Data  ${config.dataDir}\n  Log   ${logFile(config)}\n  Stop  Ctrl-C\n`)
  return stack.move()
}

const consoleBoundMs = 15_000

/** Where the operations console is, or that DAM runs without it. */
async function sayConsole(
  running: Running,
  prepared: PreparedOperations,
  { address, messages, signal }: { address: string; messages: string | null; signal: AbortSignal },
): Promise<void> {
  const child = running.children.find(({ name }) => name === 'ops')
  const until = performance.now() + consoleBoundMs
  while (child && !child.isUp && child.failures === 0 && performance.now() < until) {
    signal.throwIfAborted()
    await sleep(20)
  }
  if (prepared.kind === 'failed' || !child?.isUp) {
    const because = prepared.kind === 'failed' ? prepared.message : 'What it said is above.'
    console.log(`  The operations console does not start; DAM runs without it. ${because}\n`)
    return
  }
  console.log(`  Operations console at ${address}`)
  if (messages !== null) console.log(`  ${messages}`)
  if (prepared.setupLink)
    console.log(`  Create its first operator with this link; it works once:\n  ${prepared.setupLink}`)
  if (prepared.administrator) console.log(`  The operator "${prepared.administrator}" was created from the settings.`)
  console.log('')
}

async function startBuiltIn(dataDir: string, running: Running, stack: AsyncDisposableStack): Promise<string> {
  const postgres = await startPostgres({ dataDir, log: { info: say, warn: say } })
  running.postgres = postgres
  stack.use(postgres)
  return postgres.connectionString
}

async function endByForce(running: Running): Promise<void> {
  say('stopping by force')
  for (const child of running.children) child.kill()
  await running.postgres?.stop({ immediately: true })
  process.exit(130)
}

const logFile = (config: Effective['config']): string => path.join(dataFolders(config).logs, 'app.log')

function say(message: string): void {
  console.log(`  ${message}`)
}
