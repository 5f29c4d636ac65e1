import type { DeploymentDetail, DeploymentSummary } from '@dam/contract/ops-types'
import type { SQLInputValue } from 'node:sqlite'
import type { Store } from '../../store.ts'
import { readTrace } from './judge-view.ts'

const columns = `d.id, d.kind, d.environment, r.tag, d.digest, p.tag as "previousTag", d.state, d.because,
  d.requested_by as "requestedBy", d.requested_at as "requestedAt", d.updated_at as "updatedAt", d.ended_at as "endedAt"`
const tables = 'deployment d join release r on r.digest = d.digest left join release p on p.digest = d.previous_digest'

const select = (store: Store, rest: string, ...values: SQLInputValue[]): DeploymentSummary[] =>
  store.rows<DeploymentSummary>(`select ${columns} from ${tables} ${rest}`, ...(values as never[]))

/** Newest first. */
export const listDeployments = (
  store: Store,
  page: { environment?: string | undefined; before?: number | undefined; limit: number },
): DeploymentSummary[] =>
  select(
    store,
    `where (? = '' or d.environment = ?) and (? = 0 or d.id < ?) order by d.id desc limit ?`,
    page.environment ?? '',
    page.environment ?? '',
    page.before ?? 0,
    page.before ?? 0,
    page.limit,
  )

export const runningDeployment = (store: Store, environment: string): DeploymentSummary | null =>
  select(store, 'where d.environment = ? and d.ended_at is null order by d.id desc limit 1', environment)[0] ?? null

export const deploymentsOf = (store: Store, digest: string): DeploymentSummary[] =>
  select(store, 'where d.digest = ? or d.previous_digest = ? order by d.id desc limit 50', digest, digest)

type EventRow = Omit<DeploymentDetail['events'][number], 'detail'> & { detail: string }
type SlotRow = Omit<DeploymentDetail['slots'][number], 'observed'> & { observed: string }

/** A deployment with its time line; undefined when there is none. */
export function findDeployment(store: Store, id: number, now: Date): DeploymentDetail | undefined {
  const summary = select(store, 'where d.id = ?', id)[0]
  if (!summary) return undefined
  const data = parse(store.row<{ data: string }>('select data from deployment where id = ?', id)?.data)
  const events = store
    .rows<EventRow>(
      `select id, at, state, step, status, message, case when json_type(detail, '$.look') is null then detail else '{}' end as detail
       from (select * from deployment_event where deployment_id = ? and json_type(detail, '$.look') is null order by id desc limit 1000)
       order by id`,
      id,
    )
    .map((row) => ({ ...row, detail: parse(row.detail) }))
  const lease = store.row<{ holder: string; expiresAt: string }>(
    'select holder, expires_at as "expiresAt" from lease where environment = ?',
    summary.environment,
  )
  const isHeld = !!lease && lease.holder !== '' && lease.expiresAt > now.toISOString()
  return {
    ...summary,
    events,
    stamps: onlyTexts(data['stamps']),
    trace: readTrace(store, id),
    slots: store
      .rows<SlotRow>(
        `select id, tag, port, desired_web as "desiredWeb", desired_worker as "desiredWorker", observed from slot
         where environment = ? order by created_at desc limit 6`,
        summary.environment,
      )
      .map((row) => ({ ...row, observed: parse(row.observed) })),
    isHeld,
    heldBy: isHeld ? String(parse(lease.holder)['who'] ?? '') : '',
  }
}

const onlyTexts = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(typeof value === 'object' && value !== null ? value : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )

const parse = (text: string | undefined): Record<string, unknown> =>
  text === undefined || text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
