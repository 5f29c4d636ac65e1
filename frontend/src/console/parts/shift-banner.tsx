import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { formatDateTime } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { Icon } from '../../ui/icon.tsx'
import { sessionOptions } from '../lib/api.ts'
import styles from './shift-banner.module.css'

/** Whoever is on call sees it everywhere, and until when it gives them rights. */
export function ShiftBanner(): ReactNode {
  const shift = useQuery(sessionOptions).data?.shift
  if (!shift) return null
  const until = shift.until === null ? '' : formatDateTime(shift.until)
  return (
    <p className={styles.banner}>
      <Icon name="bell" size={18} />
      <span>
        <Link to="/oncall">{shift.as === 'primary' ? t`You are on call` : t`You are on call as the second`}</Link>
        {until && ` ${t`until ${until}`}`}
        {shift.raises && `. ${t`Until then you may do what an operator may; it is on record.`}`}
      </span>
    </p>
  )
}
