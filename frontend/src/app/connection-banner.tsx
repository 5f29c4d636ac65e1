import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { connection } from '../lib/connection.ts'
import { useStore } from '../lib/use-store.ts'
import styles from './shell.module.css'

export function ConnectionBanner(): ReactNode {
  const state = useStore(connection)
  return (
    <div role="status" className={styles.banner}>
      {state === 'unreachable' ? t`The server cannot be reached. Trying again by itself; nothing is lost.` : ''}
    </div>
  )
}
