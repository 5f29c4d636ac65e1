import type { OpsResponseOf } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { formatDateTime } from '../../lib/format.ts'
import { Button } from '../../ui/button.tsx'
import { Loading } from '../../ui/loading.tsx'
import { api } from '../lib/api.ts'
import { ConsolePage } from '../parts/console-page.tsx'
import plain from '../parts/plain-list.module.css'
import rows from '../parts/rows.module.css'

const pageSize = 100

export default function AuditPage(): ReactNode {
  const audit = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: async ({ pageParam, signal }): Promise<OpsResponseOf<'listAudit'>> =>
      (await api('listAudit', { query: { limit: pageSize, ...(pageParam ? { before: pageParam } : {}) } }, { signal }))
        .data,
    initialPageParam: 0,
    getNextPageParam: ({ results }) => (results.length === pageSize ? results.at(-1)?.id : undefined),
  })
  const entries = audit.data?.pages.flatMap(({ results }) => results) ?? []
  return (
    <ConsolePage
      title={t`Audit`}
      lead={t`Who did what, from the console, the command line and by itself. Nothing here is ever changed.`}
    >
      {audit.isPending && <Loading />}
      {audit.error && <p role="alert">{audit.error.message}</p>}
      {audit.data && entries.length === 0 && <p className={plain.note}>{t`Nothing has been done yet.`}</p>}
      {entries.length > 0 && (
        <ul className={rows.rows}>
          {entries.map((entry) => (
            <li key={entry.id} className={rows.row}>
              <span className={rows.main}>
                <strong>{entry.action}</strong>
                <span>{entry.subject}</span>
              </span>
              <span className={rows.note}>
                <bdi>{entry.who}</bdi>
                {Object.keys(entry.detail).length > 0 && ` · ${describe(entry.detail)}`}
              </span>
              <span className={rows.side}>
                <time dateTime={entry.at}>{formatDateTime(entry.at)}</time>
              </span>
            </li>
          ))}
        </ul>
      )}
      {audit.hasNextPage && (
        <div>
          <Button look="outline" disabled={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
            {t`Show older`}
          </Button>
        </div>
      )}
    </ConsolePage>
  )
}

const describe = (detail: Record<string, unknown>): string =>
  Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
