/** What the comment `-- backfill <table> by <key>, <n> at a time, pausing <n> ms` before a statement asks for; the last two may be left out. */
export type Backfill = { table: string; key: string; batchRows: number; pauseMs: number; sql: string }

const form = /^--\s*backfill\s+([\w.]+)\s+by\s+(\w+)(?:,\s*(\d+) at a time)?(?:,\s*pausing (\d+) ms)?\s*$/m

/** Null for a usual statement. Throws when the comment or the statement below it is not in the form. */
export function parseBackfill(text: string): Backfill | null {
  if (!/^--\s*backfill\b/m.test(text)) return null
  const match = form.exec(text)
  const [, table, key, rows, pause] = match ?? []
  if (!match || !table || !key)
    throw new Error('A backfill is written as -- backfill <table> by <key>, 1000 at a time, pausing 50 ms')
  const sql = text.slice(match.index + match[0].length).trim()
  if (!sql.includes('$1') || !sql.includes('$2'))
    throw new Error(
      `The backfill of ${table} must change the rows "where ${key} between $1 and $2", a batch at a time.`,
    )
  return { table, key, batchRows: Number(rows ?? 1_000), pauseMs: Number(pause ?? 50), sql }
}
