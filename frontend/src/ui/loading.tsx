import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import styles from './loading.module.css'

/** Shown where nothing else is yet; stays invisible for waits too short to notice. */
export function Loading(): ReactNode {
  return (
    <div className={styles.loading} role="status">
      <span className={styles.ring} />
      <span className="visually-hidden">{t`Loading`}</span>
    </div>
  )
}
