import type { ReactNode } from 'react'
import styles from './facts.module.css'

/** Names and values beside each other. */
export function Facts({ children }: { children: ReactNode }): ReactNode {
  return <dl className={styles.facts}>{children}</dl>
}

export function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}

/** A hash, short on screen and whole when copied from its title. */
export function Hash({ of, digits = 12 }: { of: string; digits?: number }): ReactNode {
  return (
    <code className={styles.hash} title={of}>
      {of.slice(0, digits)}
    </code>
  )
}
