import type { ReactNode } from 'react'
import { formatAgo, formatDateTime } from '../../lib/format.ts'
import { useNow } from '../lib/use-now.ts'

/** How long ago, with the exact moment on hover and for machines. */
export function When({ at }: { at: string }): ReactNode {
  const now = useNow(15_000)
  return (
    <time dateTime={at} title={formatDateTime(at)}>
      {formatAgo(at, Math.max(now, Date.parse(at)))}
    </time>
  )
}
