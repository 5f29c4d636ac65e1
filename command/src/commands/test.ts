import { runChecks } from '../check/run-checks.ts'
import { shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { withScratchPostgres } from '../scratch-postgres.ts'
import { runPlaywright } from '../test-run/playwright.ts'
import { startRecording } from '../test-run/recording.ts'
import type { Tally } from '../test-run/tally.ts'
import { runVitest } from '../test-run/vitest.ts'

export const help = `
Usage: ./dam test [check|unit|integration|e2e] [<filter> ...] [--record <file>]      (npm test runs everything)

  check         the static checks of ./dam check
  unit          tests of rules, in memory
  integration   tests on a real PostgreSQL, started for them
  e2e           journeys in Chromium against the built product

Without a part all four run, also when one fails. Filters are parts of file names.
DAM_TEST_DATABASE_URL=postgresql://… runs the same tests on that server, whose user must be allowed to create databases.
--record writes what was run, on which commit and whether its sources were unchanged, for ./dam gate record tests.
Every failure is named once more at the end, and the last line counts all of them: N passed, N failed.
`

const parts = ['check', 'unit', 'integration', 'e2e'] as const
type Part = (typeof parts)[number]

export async function run(args: string[]): Promise<number> {
  const { recordFile, words } = takeRecordOption(args)
  const [first, ...rest] = words
  const isPart = (word: string | undefined): word is Part => parts.some((part) => part === word)
  if (first !== undefined && !isPart(first)) {
    throw new CommandFailure(`There is no part "${first}". There are: ${parts.join(', ')}`)
  }
  const wanted = first === undefined ? parts : [first]
  let total: Tally = { passed: 0, failed: 0, failures: [] }
  const recording = recordFile === null ? null : await startRecording(recordFile)
  await withTestServer(async (env) => {
    for (const part of wanted) {
      console.log(`\n== ${part}`)
      const startedAt = performance.now()
      const tally = await runPart(part, rest, env)
      const { passed, failed } = tally
      recording?.add(part, { passed, failed, durationMs: Math.round(performance.now() - startedAt) })
      total = sum(total, tally)
    }
  })
  await recording?.finish({ isWhole: rest.length === 0 })
  if (total.failed > 0) console.log(`\n${total.failures.map((line) => `FAILED ${line}`).join('\n')}`)
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
  return total.failed === 0 && total.passed > 0 ? 0 : 1
}

function takeRecordOption(args: readonly string[]): { recordFile: string | null; words: string[] } {
  const index = args.indexOf('--record')
  if (index === -1) return { recordFile: null, words: [...args] }
  const recordFile = args[index + 1]
  if (recordFile === undefined) throw new CommandFailure('--record needs the name of the file to write.')
  return { recordFile, words: args.toSpliced(index, 2) }
}

type Env = Record<string, string | undefined>

async function runPart(part: Part, filters: readonly string[], env: Env): Promise<Tally> {
  switch (part) {
    case 'check':
      return runChecks({ filters, write: false })
    case 'unit':
      return sum(
        await runVitest({ folder: '.', projects: ['unit'], filters, env }),
        await runVitest({ folder: 'frontend', projects: [], filters, env }),
      )
    case 'integration':
      return runVitest({ folder: '.', projects: ['integration'], filters, env })
    case 'e2e':
      return runPlaywright({ filters, env })
  }
}

const sum = (a: Tally, b: Tally): Tally => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  failures: [...a.failures, ...b.failures],
})

/** One PostgreSQL for all tests of this run, unless one was named. */
async function withTestServer(work: (env: Env) => Promise<void>): Promise<void> {
  if (shellEnvironment['DAM_TEST_DATABASE_URL']) return work({})
  return withScratchPostgres((connectionString) => work({ DAM_TEST_DATABASE_URL: connectionString }))
}
