import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Tally } from '../check/run-checks.ts'
import { root } from '../config.ts'
import { runProgram } from '../run-program.ts'
import { workspaceProgram } from '../toolchain.ts'

/** Runs vitest in a folder of the checkout, showing their output, and counts their tests. A runner that fails without a failed test counts as one. */
export async function runVitest(options: {
  /** Of the checkout, `.` for its root. */
  folder: string
  projects: readonly string[]
  filters: readonly string[]
  env: Record<string, string | undefined>
}): Promise<Tally> {
  const reportDir = mkdtempSync(path.join(tmpdir(), 'dam-vitest-'))
  const report = path.join(reportDir, 'report.json')
  try {
    const args = [
      'run',
      ...options.projects.map((name) => `--project=${name}`),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      // A filter may mean a test of another folder; the whole run fails when it finds none anywhere.
      ...(options.filters.length > 0 ? ['--passWithNoTests', ...options.filters] : []),
    ]
    const { code } = await runProgram(workspaceProgram('vitest'), args, {
      cwd: path.join(root, options.folder),
      env: options.env,
      show: true,
    })
    return tallyOf(report, code)
  } finally {
    rmSync(reportDir, { recursive: true, force: true })
  }
}

function tallyOf(report: string, code: number): Tally {
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests: number; numFailedTests: number }
    const isUnexplained = code !== 0 && counts.numFailedTests === 0
    return { passed: counts.numPassedTests, failed: counts.numFailedTests + (isUnexplained ? 1 : 0) }
  } catch {
    return { passed: 0, failed: 1 }
  }
}
