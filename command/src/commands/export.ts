import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { compareFiles } from '@dam/ops/src/engines/compare-files.ts'
import { engineNames, engines, isEngineName } from '@dam/ops/src/engines/engines.ts'
import { exampleInput, exporterNames, exporters } from '@dam/ops/src/exports/exporters.ts'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { versionOfTag } from '@dam/ops/src/releases/release.ts'
import { root } from '../config.ts'
import { exportFacts, shippedNames } from '../export/export-facts.ts'
import { CommandFailure } from '../failure.ts'
import { policyFile } from '../watch/watch-place.ts'

const width = Math.max(...exporterNames.map((name) => name.length))

export const help = `
Usage: ./dam export <what>...|all [--out <folder>] [--check] [--tag v1.2.3] [--image <name>]
                  [--environment <name>]... [--console <address>]

Writes what another system reads: ./dam export kubernetes. Every number comes from the policy and the settings; each file names
the policy it was made from and what it cannot express. docs/operating/ says how each is used.

Engines that bring out DAM or stand before it: ${engineNames.join(', ')}.
Systems that watch and call people:
${exporterNames.map((name) => `  ${name.padEnd(width)}  ${exporters[name]?.summary}`).join('\n')}

  --tag    the release they bring out (default v of this checkout)
  --image  its image without a tag (default ${shippedNames.image})
  --environment  what is watched (default ${exampleInput.environments.join(' and ')})
  --console      address of the operations console (default ${exampleInput.consoleUrl})
  --out    folder for all, each in its own below it (default deploy)
  --check  writes nothing; prints what is behind the policy, and ends with 1 when something is
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      tag: { type: 'string', default: shippedNames.tag },
      image: { type: 'string', default: shippedNames.image },
      out: { type: 'string', default: path.join(root, 'deploy') },
      check: { type: 'boolean', default: false },
      environment: { type: 'string', multiple: true, default: [...exampleInput.environments] },
      console: { type: 'string', default: exampleInput.consoleUrl },
    },
  })
  if (versionOfTag(values.tag) === null) throw new CommandFailure(`"${values.tag}" is no release tag such as v1.2.3.`)
  if (!/^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$/.test(values.image) || /:[^/]*$/.test(values.image))
    throw new CommandFailure(`"${values.image}" is no image without a tag, such as ${shippedNames.image}.`)
  if (!URL.canParse(values.console))
    throw new CommandFailure('--console takes an address such as https://ops.example.com')
  const wrong = values.environment.find((one) => !/^[a-z][a-z0-9-]{0,30}$/.test(one))
  if (wrong !== undefined) throw new CommandFailure(`"${wrong}" is no name of an environment.`)
  const facts = exportFacts({ tag: values.tag, image: values.image })
  const input = {
    ...readPolicy(policyFile()),
    environments: values.environment,
    consoleUrl: values.console.replace(/\/+$/, ''),
    now: new Date(),
  }
  let behind = 0
  for (const name of chosen(positionals)) {
    const folder = path.resolve(values.out, name)
    const { files, unexpressed } = isEngineName(name)
      ? { files: engines[name](facts), unexpressed: [] }
      : (exporters[name]?.export(input) ?? { files: [], unexpressed: [] })
    const shown = path.relative(process.cwd(), folder) || '.'
    if (values.check) {
      const lines = compareFiles(folder, files)
      if (lines.length > 0) behind++
      console.log(lines.length === 0 ? `✓ ${shown}` : `✗ ${shown} is behind policy ${facts.policyHash}`)
      for (const line of lines) console.log(`  ${line}`)
      continue
    }
    for (const file of files) {
      const target = path.join(folder, file.path)
      mkdirSync(path.dirname(target), { recursive: true })
      writeFileSync(target, file.text)
      chmodSync(target, file.isExecutable ? 0o755 : 0o644)
    }
    console.log(`${shown}: ${files.map((file) => file.path).join(', ')}`)
    for (const line of unexpressed) console.log(`  not expressed: ${line}`)
  }
  return behind === 0 ? 0 : 1
}

function chosen(names: readonly string[]): string[] {
  const known = [...engineNames, ...exporterNames]
  if (names.length === 1 && names[0] === 'all')
    return known.filter((name) => isEngineName(name) || exporters[name]?.dependsOnTime !== true)
  const unknown = names.find((name) => !known.includes(name))
  if (names.length === 0 || unknown !== undefined)
    throw new CommandFailure(`Name ${known.join(', ')} or all${unknown === undefined ? '' : `, not "${unknown}"`}.`)
  return [...names]
}
