import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '../config.ts'
import { runProgram } from '../run-program.ts'
import { workspaceProgram } from '../toolchain.ts'
import { failureLine, type Tally, tallyOf } from './tally.ts'

/** Runs vitest in a folder of the checkout, showing their output, and counts their tests. */
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
    return readReport(report, code)
  } finally {
    rmSync(reportDir, { recursive: true, force: true })
  }
}

type Report = {
  numPassedTests: number
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string; failureMessages?: string[] }[]
  }[]
}

function readReport(file: string, code: number): Tally {
  let report: Report
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return tallyOf(code || 1, 0, [], 'vitest')
  }
  const failures = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const where = path.relative(root, name)
    const failed = assertionResults
      .filter((one) => one.status === 'failed')
      .map((one) => failureLine(`${where} > ${one.fullName}`, one.failureMessages?.[0]))
    // A file that could not be read, or whose hooks failed, has no failed test.
    return status === 'failed' && failed.length === 0 ? [failureLine(where, message)] : failed
  })
  return tallyOf(code, report.numPassedTests, failures, 'vitest')
}
