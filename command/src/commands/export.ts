import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Exported } from '@dam/ops/src/exports/exporter.ts'
import { exampleInput, exporters } from '@dam/ops/src/exports/exporters.ts'
import { findDrift } from '@dam/ops/src/exports/find-drift.ts'
import { writeExport } from '@dam/ops/src/exports/write-export.ts'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { root } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { policyFile } from '../watch/watch-place.ts'

const width = Math.max(...Object.keys(exporters).map((name) => name.length))

export const help = `
Usage: ./dam export <what> [--out <folder>] [--check] [--environment <name>]... [--console <address>]

Compiles the policy to what another system reads, and says what that system cannot express:
${Object.entries(exporters)
  .map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  .join('\n')}

Without --out it is printed. --check compares the files in the folder (deploy/<what> of this checkout unless --out says another)
with what the policy says now and ends with 1 when they differ. Environments: production and staging unless named.
Every file carries the hash of the policy.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      check: { type: 'boolean', default: false },
      environment: { type: 'string', multiple: true, default: [...exampleInput.environments] },
      console: { type: 'string', default: exampleInput.consoleUrl },
    },
  })
  const [name = ''] = positionals
  const exporter = exporters[name]
  if (!exporter || positionals.length > 1)
    throw new CommandFailure(`Say what to export: ${Object.keys(exporters).join(', ')}.`)
  if (!URL.canParse(values.console))
    throw new CommandFailure('--console takes an address such as https://ops.example.com')
  const wrong = values.environment.find((one) => !/^[a-z][a-z0-9-]{0,30}$/.test(one))
  if (wrong !== undefined) throw new CommandFailure(`"${wrong}" is no name of an environment.`)
  const { policy, hash } = readPolicy(policyFile())
  const exported = exporter.export({
    policy,
    hash,
    environments: values.environment,
    consoleUrl: values.console.replace(/\/+$/, ''),
    now: new Date(),
  })
  const folder = path.resolve(values.out ?? path.join(root, 'deploy', name))
  if (values.check) return printDrift(folder, exported)
  if (values.out === undefined) print(exported)
  else for (const file of writeExport(folder, exported)) console.log(file)
  for (const line of exported.unexpressed) console.error(`not expressed: ${line}`)
  return 0
}

function print({ files }: Exported): void {
  for (const { path: file, text } of files) console.log(files.length > 1 ? `# ${file}\n${text}` : text)
}

function printDrift(folder: string, exported: Exported): number {
  const drift = findDrift(exported, (file) => {
    try {
      return readFileSync(path.join(folder, file), 'utf8')
    } catch {
      return null
    }
  })
  if (drift.length === 0) {
    console.log(`${folder} says what the policy says.`)
    return 0
  }
  console.log([...drift, `Write it anew: ./dam export <what> --out ${folder}`].join('\n'))
  return 1
}
