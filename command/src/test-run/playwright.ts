import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Tally } from '../check/run-checks.ts'
import { root } from '../config.ts'
import { buildFrontend } from '../frontend.ts'
import { runProgram } from '../run-program.ts'
import { ensureChromium } from './chromium.ts'

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
    console.error(error instanceof Error ? error.message : error)
    return { passed: 0, failed: 1 }
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
    return tallyOf(report, code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function tallyOf(report: string, code: number): Tally {
  try {
    const { stats } = JSON.parse(readFileSync(report, 'utf8')) as {
      stats: { expected: number; unexpected: number; flaky: number }
    }
    const isUnexplained = code !== 0 && stats.unexpected === 0
    return { passed: stats.expected + stats.flaky, failed: stats.unexpected + (isUnexplained ? 1 : 0) }
  } catch {
    return { passed: 0, failed: 1 }
  }
}
