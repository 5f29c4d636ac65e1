// An ops process over a scratch host with two miniature releases, for pressing the console's buttons. Deploy and rollback drive
// miniatures; every other command is the product's own. Says `ready` with the console's address; SIGTERM ends all of it:
//   node ops/src/testing/miniature-host-main.ts <port>
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLog } from '@dam/platform/log'
import { createApp } from '../app.ts'
import { readOpsConfig, shellEnvironment } from '../config.ts'
import { hostFolders } from '../environments/environment.ts'
import { environmentOf, readEnvironments } from '../environments/host.ts'
import { runningDatabaseUrl } from '../environments/running-database.ts'
import { addOperator } from '../people/change-operator.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { installMiniature } from './miniature-release.ts'
import { scratchHost, until } from './scratch-host.ts'

const [port = ''] = process.argv.slice(2)
const checkout = fileURLToPath(new URL('../../../', import.meta.url))
const startBoundMs = 60_000
const password = 'correct horse battery staple'

await using host = await scratchHost({ databaseUrl: null })
const { hostDir, store } = host
await addOperator(
  store,
  { username: 'administrator', password, role: 'administrator' },
  { who: 'set-up link', now: new Date() },
)
for (const tag of ['v1.0.0', 'v1.1.0']) installMiniature(hostDir, store, { tag })

// What the console starts: a checkout of its own whose program chooses.
const root = path.join(hostDir, 'checkout')
mkdirSync(path.join(root, 'command/src'), { recursive: true })
mkdirSync(path.join(root, 'frontend'))
symlinkSync(path.join(checkout, 'frontend/dist-console'), path.join(root, 'frontend/dist-console'))
writeFileSync(path.join(root, 'package.json'), '{"type":"module"}')
writeFileSync(
  path.join(root, 'command/src/main.ts'),
  `const isMiniature = process.argv[2] === 'deploy' || process.argv[2] === 'rollback'
await import(isMiniature ? ${JSON.stringify(path.join(checkout, 'ops/src/testing/miniature-deploy-command.ts'))} : ${JSON.stringify(path.join(checkout, 'command/src/main.ts'))})
`,
)

const environment = { ...shellEnvironment, DAM_HOST_DIR: hostDir, OPS_HOST: 'localhost', OPS_PORT: port }
const app = createApp({
  config: readOpsConfig(environment),
  store,
  environments: () => readEnvironments(hostDir),
  log: openLog({ directory: hostFolders(hostDir).logs, process: 'ops', level: 'error', stdout: false }),
  version: '1.0.0',
  root,
  environment,
  policy: () => readPolicy().policy,
  outputs: path.join(hostFolders(hostDir).ops, 'actions'),
})
host.startKeeper()
const staging = environmentOf(hostDir, 'staging')
await until('the database of staging', () => runningDatabaseUrl(staging), startBoundMs)
await app.http.listen({ host: 'localhost', port: Number(port) })
console.log(`ready http://localhost:${port} ${host.publicUrl}`)
await new Promise((resolve) => process.once('SIGTERM', resolve))
await app.close()
