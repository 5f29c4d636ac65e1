// Runs the built-in PostgreSQL as a process that a test can kill: `node run-postgres.ts <data directory> [<way to run>]`.
// Prints one line of JSON when it is up.
import { startPostgres } from '../postgres/start.ts'
import type { RunAsKind } from '../postgres/run-as.ts'

const [dataDir = '', runAs] = process.argv.slice(2)
const say = (message: string) => console.error(message)
const postgres = await startPostgres({
  dataDir,
  log: { info: say, warn: say },
  ...(runAs ? { runAs: runAs as RunAsKind } : {}),
})
const { pid, connectionString, adopted } = postgres
console.log(JSON.stringify({ pid, connectionString, adopted }))
process.once('SIGTERM', () => void postgres.stop().then(() => process.exit()))
// Killed only: keeps the event loop alive.
setInterval(() => undefined, 60_000)
