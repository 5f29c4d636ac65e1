import type { ReactNode } from 'react'
import { Icon, type IconName } from '../../ui/icon.tsx'
import styles from './status.module.css'

export type Tone = 'good' | 'bad' | 'warning' | 'running' | 'neutral'

const icons: Record<Tone, IconName> = {
  good: 'check',
  bad: 'close',
  warning: 'warning',
  running: 'clock',
  neutral: 'info',
}

/** A word for a state, with a shape and a colour that say the same. */
export function Status({
  tone,
  icon,
  children,
}: {
  tone: Tone
  icon?: IconName | undefined
  children: ReactNode
}): ReactNode {
  return (
    <span className={styles.status} data-tone={tone}>
      <Icon name={icon ?? icons[tone]} size={14} />
      {children}
    </span>
  )
}
