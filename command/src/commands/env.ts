import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { readEffectiveConfig } from '../config.ts'
import { nodeProgram, pnpmProgram } from '../toolchain.ts'
import { dirname } from 'node:path'
import { psqlSessionOptions } from '../psql-session.ts'
import { quote } from '../shell.ts'

export const help = `
Usage: eval "$(./dam env)"

Prints shell lines that put DAM's own pnpm and Node.js first in PATH, so that
  cd frontend; pnpm install; pnpm build; pnpm test; pnpm test:e2e
work, and, while DAM runs on its built-in database, that let psql reach it:
  psql -d dam_db -c "SELECT count(*) FROM pg_stat_activity;"
`

export async function run(): Promise<number> {
  console.log(`export PATH=${quote(dirname(nodeProgram))}:${quote(dirname(pnpmProgram))}:"$PATH"`)
  const { config } = readEffectiveConfig()
  const running = config.databaseUrl ? null : describeRunningPostgres(config.dataDir)
  if (running) {
    const { host, port, user, passwordFile } = running.tcp
    console.log(`export PGHOST=${host} PGPORT=${port} PGUSER=${user} PGPASSFILE=${quote(passwordFile)}`)
    console.log(`export PGOPTIONS=${quote(psqlSessionOptions)}`)
  }
  return 0
}
