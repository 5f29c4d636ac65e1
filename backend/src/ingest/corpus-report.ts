/**
 * Reads every file of a corpus the way ingest does and prints how far DAM agrees with its expected.json:
 * `node backend/src/ingest/corpus-report.ts <corpus> [--renditions <folder>] [--only <prefix>] [--tools <PATH>]`. Ends with 1 when a disagreement has no explanation.
 */
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ConverterPool } from '../converter/converter-pool.ts'
import { findSandbox } from '../converter/sandbox.ts'
import { findTools } from '../converter/tools.ts'
import { summarise } from './corpus-disagreements.ts'
import { openCorpus, readCorpusFile, type CorpusResult } from './read-corpus.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    renditions: { type: 'string' },
    only: { type: 'string' },
    tools: { type: 'string', default: '/usr/local/bin:/usr/bin:/bin' },
  },
})
const folder = resolve(positionals[0] ?? '../shared/corpus')
const files = await openCorpus(folder)
if (!files) {
  console.error(`${folder} has no expected.json. Give the folder of the corpus as the first argument.`)
  process.exit(2)
}
const keep = values.renditions ? resolve(values.renditions) : undefined
const scratchFolder = keep ?? join(tmpdir(), `dam-corpus-${process.pid}`)
const tools = findTools(values.tools)
const sandbox = findSandbox(tools)
console.log(`tools: ${Object.keys(tools).join(', ')}; sandbox: ${sandbox.kind}`)

const results: CorpusResult[] = []
{
  await using converter = new ConverterPool({
    tools,
    sandbox,
    blobsFolder: folder,
    scratchFolder,
    concurrency: 2,
    onRestart: (because) => console.log(`converter restarted: ${because}`),
  })
  const waiting = [...files].filter(([path]) => !values.only || path.startsWith(values.only)).entries()
  const work = async (): Promise<void> => {
    for (const [index, [path, expected]] of waiting) {
      const outputFolder = join(scratchFolder, String(index))
      results.push(await readCorpusFile({ folder, path, expected, converter, outputFolder }))
      if (!keep) await rm(outputFolder, { recursive: true, force: true })
    }
  }
  await Promise.all([work(), work()])
}
if (!keep) await rm(scratchFolder, { recursive: true, force: true })
results.sort((a, b) => (a.path < b.path ? -1 : 1))

for (const { path, mimeType, error, rendered, elapsedMs } of results) {
  const end = rendered
    ? `${rendered.provider} ${rendered.measures.width ?? '?'}x${rendered.measures.height ?? '?'}${rendered.damage ? ` DAMAGED ${rendered.damage}` : ''}`
    : `${error?.kind} ${error?.code}: ${error?.message}`
  console.log(`${String(elapsedMs).padStart(6)} ms  ${JSON.stringify(path)}  ${mimeType ?? '-'}  ${end}`)
}

const { table, disagreements, unexplained } = summarise(results)
console.log(`\n${table}\n\nDisagreements:\n${disagreements.join('\n')}`)
if (keep) {
  await writeFile(join(keep, 'results.json'), JSON.stringify(results, null, 1))
}
process.exit(unexplained.length > 0 ? 1 : 0)
