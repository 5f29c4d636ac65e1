import type { Store } from '../store.ts'

export type Prediction = { seconds: number; from: string }

const assumedSeconds = {
  flag: 1,
  warm: 1,
  start: 30,
  install: 90,
  down: 180,
  restore: 600,
  'maintenance-page': 2,
  rebuild: 600,
} as const

/** Seconds a rung took here: the longest of its last twenty times, else what is assumed. */
export function predictedSeconds(store: Store, environment: string, rung: keyof typeof assumedSeconds): Prediction {
  const rows = store.rows<{ seconds: number | null }>(
    `select json_extract(data, '$.restoreSeconds') as seconds from deployment
     where environment = ? and json_extract(data, '$.restoreSeconds') is not null
       and coalesce(json_extract(data, '$.rung'), 'warm') = ? order by id desc limit 20`,
    environment,
    rung,
  )
  const seconds = rows.flatMap((row) => (row.seconds === null ? [] : [row.seconds]))
  return seconds.length === 0
    ? { seconds: assumedSeconds[rung], from: 'assumed: none was measured here yet' }
    : { seconds: Math.max(...seconds), from: `longest of ${seconds.length} measured here` }
}
