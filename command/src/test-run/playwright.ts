import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '../config.ts'
import { buildFrontend } from '../frontend.ts'
import { runProgram } from '../run-program.ts'
import { ensureChromium } from './chromium.ts'
import { failureLine, type Tally, tallyOf } from './tally.ts'

/** Runs the browser journeys against the built product and counts them. */
export async function runPlaywright(options: {
  filters: readonly string[]
  env: Record<string, string | undefined>
}): Promise<Tally> {
  let chromium: string
  try {
    chromium = await ensureChromium()
    await buildFrontend({ force: false, say: console.log })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    console.error(reason)
    return { passed: 0, failed: 1, failures: [failureLine('e2e', reason)] }
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'dam-e2e-'))
  const report = path.join(folder, 'report.json')
  try {
    const { code } = await runProgram(
      path.join(root, 'e2e/node_modules/.bin/playwright'),
      ['test', '--reporter=list,json', ...options.filters],
      {
        cwd: path.join(root, 'e2e'),
        env: { ...options.env, DAM_CHROMIUM: chromium, PLAYWRIGHT_JSON_OUTPUT_FILE: report },
        show: true,
      },
    )
    return readReport(report, code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Spec = {
  title: string
  file: string
  line: number
  tests: { status: string; results: { error?: { message?: string } }[] }[]
}
type Suite = { suites?: Suite[]; specs?: Spec[] }
type Report = { stats: { expected: number; flaky: number }; suites: Suite[]; errors: { message?: string }[] }

function readReport(file: string, code: number): Tally {
  let report: Report
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return tallyOf(code || 1, 0, [], 'playwright')
  }
  const failures = [
    ...report.errors.map((error) => failureLine('e2e', error.message)),
    ...specsOf(report).flatMap(({ title, file: name, line, tests }) =>
      tests
        .filter(({ status }) => status === 'unexpected')
        .map(({ results }) => failureLine(`e2e/test/${name}:${line} > ${title}`, results.at(-1)?.error?.message)),
    ),
  ]
  return tallyOf(code, report.stats.expected + report.stats.flaky, failures, 'playwright')
}

const specsOf = ({ suites = [], specs = [] }: Suite): Spec[] => [...specs, ...suites.flatMap(specsOf)]
