import type { JudgeTrace } from '@dam/contract/ops-types'
import type { Store } from '../../store.ts'

type Side = JudgeTrace['looks'][number]['errors']
type Row = { at: string; look: string }

const mostLooks = 600
const at = '$.look.trace'
const side = (name: string): string =>
  `json_object('sum', detail ->> '${at}.${name}.sum.now', 'requests', detail ->> '${at}.${name}.sum.requests',
     'failures', detail ->> '${at}.${name}.sum.failures', 'goodRate', detail ->> '${at}.${name}.baseline.goodRate',
     'badRate', detail ->> '${at}.${name}.baseline.badRate')`

/** Only the sums of a look are taken, inside SQLite: its seconds are for the evidence of an incident. */
const select = `select at, json_object(
    'verdict', detail ->> '$.look.judgement.verdict',
    'because', coalesce(detail ->> '$.look.judgement.detail', detail ->> '$.look.judgement.because', ''),
    'badAt', detail ->> '${at}.badAt', 'floor', detail ->> '${at}.floor', 'cutOverAt', detail ->> '${at}.cutOverAt',
    'errors', ${side('errors')}, 'slowness', ${side('slowness')}, 'control', detail -> '${at}.control') as look
  from (select * from deployment_event where deployment_id = ? and json_type(detail, '$.look') is not null order by id desc limit ${mostLooks})
  order by id`

type Look = {
  verdict: string | null
  because: string
  badAt: number | null
  floor: number | null
  cutOverAt: number | null
  errors: Side
  slowness: Side
  control: { requests: number; bad: number; slow: number } | null
}

/** What the judge of a bake saw at each look, oldest first. */
export function readTrace(store: Store, deploymentId: number): JudgeTrace {
  const rows = store.rows<Row>(select, deploymentId).map((row) => ({ at: row.at, look: JSON.parse(row.look) as Look }))
  const newest = rows.at(-1)?.look
  return {
    badAt: newest?.badAt ?? null,
    floor: newest?.floor ?? null,
    cutOverAt: typeof newest?.cutOverAt === 'number' ? new Date(newest.cutOverAt).toISOString() : null,
    looks: rows.map((row) => ({
      at: row.at,
      verdict: row.look.verdict ?? 'unknown',
      because: row.look.because,
      errors: known(row.look.errors),
      slowness: known(row.look.slowness),
      control: row.look.control,
    })),
  }
}

const known = (found: Side): Side => (found && typeof found.sum === 'number' ? found : null)
