import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { compareFiles } from '@dam/ops/src/engines/compare-files.ts'
import { engineNames, engines, isEngineName, type EngineName } from '@dam/ops/src/engines/engines.ts'
import { versionOfTag } from '@dam/ops/src/releases/release.ts'
import { root } from '../config.ts'
import { exportFacts, shippedNames } from '../export/export-facts.ts'
import { CommandFailure } from '../failure.ts'

export const help = `
Usage: ./dam export ${engineNames.join('|')}|all [--tag v1.2.3] [--image <name>] [--out <folder>] [--check]

Writes what another engine reads to bring out DAM or to stand before it: ./dam export kubernetes. Every number comes from the
policy and the settings; each file names the policy it was made from. docs/operating/ says how each is used.

  --tag    the release they bring out (default v of this checkout)
  --image  its image without a tag (default ${shippedNames.image})
  --out    folder for all engines, each in its own below it (default deploy)
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
    },
  })
  if (versionOfTag(values.tag) === null) throw new CommandFailure(`"${values.tag}" is no release tag such as v1.2.3.`)
  if (!/^[a-z0-9][a-z0-9._:/-]*[a-z0-9]$/.test(values.image) || /:[^/]*$/.test(values.image))
    throw new CommandFailure(`"${values.image}" is no image without a tag, such as ${shippedNames.image}.`)
  const facts = exportFacts({ tag: values.tag, image: values.image })
  let behind = 0
  for (const engine of chosenEngines(positionals)) {
    const folder = path.resolve(values.out, engine)
    const files = engines[engine](facts)
    const shown = path.relative(process.cwd(), folder) || '.'
    if (values.check) {
      const lines = compareFiles(folder, files)
      if (lines.length > 0) behind++
      console.log(lines.length === 0 ? `✓ ${shown}` : `✗ ${shown} is behind policy ${facts.policyHash}`)
      for (const line of lines) console.log(`  ${line}`)
      continue
    }
    for (const file of files) {
      const name = path.join(folder, file.path)
      mkdirSync(path.dirname(name), { recursive: true })
      writeFileSync(name, file.text)
      chmodSync(name, file.isExecutable ? 0o755 : 0o644)
    }
    console.log(`${shown}: ${files.map((file) => file.path).join(', ')}`)
  }
  return behind === 0 ? 0 : 1
}

function chosenEngines(names: readonly string[]): EngineName[] {
  if (names.length === 1 && names[0] === 'all') return engineNames
  const unknown = names.find((name) => !isEngineName(name))
  if (names.length === 0 || unknown !== undefined)
    throw new CommandFailure(
      `Name ${engineNames.join(', ')} or all${unknown === undefined ? '' : `, not "${unknown}"`}.`,
    )
  return names.filter(isEngineName)
}
