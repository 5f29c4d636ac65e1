import { stripVTControlCharacters } from 'node:util'

/** How many passed and failed, and one line for each failure: where, which, why. */
export type Tally = { passed: number; failed: number; failures: string[] }

const longest = 300

/** One line of a failure, from a message that may have many lines and colours. */
export function failureLine(where: string, message: string | undefined): string {
  const lines = stripVTControlCharacters(message ?? '').split('\n')
  const first = lines.map((line) => line.trim()).find((line) => line !== '')
  return (first === undefined ? where : `${where}: ${first}`).slice(0, longest)
}

/** The tally of a runner that ended with `code`; one that fails without naming a test counts as one failure. */
export function tallyOf(code: number, passed: number, failures: readonly string[], runner: string): Tally {
  const named = code !== 0 && failures.length === 0 ? [`${runner} ended with code ${code}`] : [...failures]
  return { passed, failed: named.length, failures: named }
}
