import { useId, type ReactNode } from 'react'
import styles from './panel.module.css'

/** A titled block of a page of settings. */
export function Panel({
  title,
  description,
  tools,
  children,
}: {
  title: string
  description?: string
  tools?: ReactNode
  children: ReactNode
}): ReactNode {
  const id = useId()
  return (
    <section className={styles.panel} aria-labelledby={id}>
      <div className={styles.head}>
        <h2 id={id}>{title}</h2>
        {tools}
      </div>
      {description && <p className={styles.description}>{description}</p>}
      {children}
    </section>
  )
}

export function PlainPage({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <div className={styles.page} role="region" aria-label={title} tabIndex={0}>
      <div className={styles.column}>
        <h1>{title}</h1>
        {children}
      </div>
    </div>
  )
}
