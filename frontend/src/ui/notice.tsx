import type { ReactNode } from 'react'
import { Icon, type IconName } from './icon.tsx'
import styles from './notice.module.css'

/** A page or region that has nothing else to show: why, and what to do next. */
export function Notice({
  icon,
  title,
  message,
  children,
  level = 1,
}: {
  icon: IconName
  title: string
  message?: ReactNode
  children?: ReactNode
  level?: 1 | 2
}): ReactNode {
  const Heading = level === 1 ? 'h1' : 'h2'
  return (
    <div className={styles.notice}>
      <span className={styles.icon}>
        <Icon name={icon} size={30} />
      </span>
      <Heading className={styles.title}>{title}</Heading>
      {message && <p className={styles.message}>{message}</p>}
      {children && <div className={styles.actions}>{children}</div>}
    </div>
  )
}
