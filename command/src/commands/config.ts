import { parseArgs } from 'node:util'
import { settings } from '@dam/backend/src/config.ts'
import { readEffectiveConfig } from '../config.ts'

export const help = `
Usage: ./dam config [--json]

Prints every setting: its value (secrets as [redacted]) and where it comes from: the environment, .env or the default.
.env.example describes them all.
`

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: 'boolean' } } })
  const { config, origins } = readEffectiveConfig()
  const rows = (Object.keys(settings) as (keyof typeof settings)[]).map((name) => ({
    variable: settings[name].variable,
    value: config[name] === undefined ? null : config[name],
    origin: origins[name],
    describe: settings[name].describe,
  }))
  if (values.json) {
    console.log(JSON.stringify(rows, null, 2))
    return 0
  }
  const shown = rows.map((row) => ({ ...row, text: row.value === null ? '(not set)' : String(row.value) }))
  const width = (column: 'variable' | 'text' | 'origin') => Math.max(...shown.map((row) => row[column].length))
  for (const row of shown) {
    console.log(
      `${row.variable.padEnd(width('variable'))}  ${row.text.padEnd(width('text'))}  ${row.origin.padEnd(width('origin'))}  ${row.describe}`,
    )
  }
  return 0
}
