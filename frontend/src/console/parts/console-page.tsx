import { t } from '@lingui/core/macro'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from '../../lib/navigation.ts'
import { useTitle } from '../../lib/use-title.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Loading } from '../../ui/loading.tsx'
import { Notice } from '../../ui/notice.tsx'
import styles from './console-page.module.css'

/** The frame of every page: where one is, its name, what can be done, then the content. */
export function ConsolePage({
  title,
  lead,
  up,
  tools,
  children,
}: {
  title: string
  lead?: ReactNode
  /** The list this belongs to. */
  up?: { to: string; label: string }
  tools?: ReactNode
  children: ReactNode
}): ReactNode {
  useTitle(title)
  return (
    <div className={styles.column}>
      <header className={styles.head}>
        <div className={styles.names}>
          {up && (
            <Link to={up.to} className={styles.up}>
              <Icon name="chevron-left" size={14} />
              {up.label}
            </Link>
          )}
          <h1>
            <bdi>{title}</bdi>
          </h1>
        </div>
        {tools && <div className={styles.tools}>{tools}</div>}
        {lead && <p className={styles.lead}>{lead}</p>}
      </header>
      {children}
    </div>
  )
}

/** What a query has, or that it loads, or why it cannot. What is known stays on screen while it is read again. */
export function Answer<T>({
  query,
  children,
}: {
  query: UseQueryResult<T>
  children: (data: T) => ReactNode
}): ReactNode {
  if (query.data !== undefined) return children(query.data)
  if (query.error) {
    return (
      <Notice icon="warning" level={2} title={t`This could not be read`} message={query.error.message}>
        <Button look="outline" icon="retry" onClick={() => void query.refetch()}>{t`Try again`}</Button>
      </Notice>
    )
  }
  return <Loading />
}
