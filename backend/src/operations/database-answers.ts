import { sql, type Database } from '@dam/platform/database'

/** True when a connection answers within a second. */
export async function databaseAnswers(database: Database): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), 1_000)
  })
  try {
    return await Promise.race([database.run(sql`select 1`).then(() => true), late])
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}
