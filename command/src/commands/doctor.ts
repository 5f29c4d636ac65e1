import { parseArgs } from 'node:util'
import { readEffectiveConfig } from '../config.ts'
import { checkDatabase } from '../doctor/database.ts'
import type { Finding } from '../doctor/finding.ts'
import { checkDataFolder, checkDisk, checkMemory, checkPort } from '../doctor/machine.ts'
import { checkRedis } from '../doctor/redis.ts'
import { checkSandbox, checkTools } from '../doctor/tools.ts'

export const help = `
Usage: ./dam doctor [--json]

Looks at everything DAM needs or can use on this machine: each program with its version, what it is for and the command
that installs it, the database, Redis, disk, sandbox and data directory.

Ends with 1 only when something prevents DAM from running; a missing optional program does not.
`

const marks = { ok: '✓', missing: '–', warning: '!', fatal: '✗' } as const

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: 'boolean' } } })
  const { config } = readEffectiveConfig()
  const found = await Promise.all([
    checkDataFolder(config),
    checkDisk(config),
    checkMemory(),
    checkPort(config),
    checkDatabase(config),
    checkRedis(config),
    checkSandbox(),
    checkTools(),
  ])
  const findings = found.flat()
  const fatal = findings.filter((finding) => finding.state === 'fatal')
  if (values.json) console.log(JSON.stringify({ healthy: fatal.length === 0, findings }, null, 2))
  else print(findings, fatal)
  return fatal.length === 0 ? 0 : 1
}

function print(findings: readonly Finding[], fatal: readonly Finding[]): void {
  const width = Math.max(...findings.map((finding) => finding.name.length))
  for (const finding of findings) {
    console.log(`${marks[finding.state]} ${finding.name.padEnd(width)}  ${finding.detail}`)
    const indent = ' '.repeat(width + 4)
    if (finding.state !== 'ok' && finding.purpose) console.log(`${indent}${finding.purpose}`)
    if (finding.state !== 'ok' && finding.remedy) console.log(`${indent}→ ${finding.remedy}`)
  }
  const missing = findings
    .filter((finding) => finding.state === 'missing' && finding.package)
    .map((finding) => finding.package)
  if (missing.length > 0)
    console.log(`\nAll that is missing at once:  apt-get install -y ${[...new Set(missing)].join(' ')}`)
  console.log(
    fatal.length === 0
      ? '\nDAM can run here.'
      : `\nDAM cannot run here: ${fatal.map((finding) => finding.name).join(', ')}.`,
  )
}
