import type { KeyMetric } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { formatWait } from '../../lib/format.ts'
import { Icon } from '../../ui/icon.tsx'
import styles from './key-metrics.module.css'
import { boundWords, formatSignal, signalTitle } from './signal-words.ts'
import { Sparkline } from './sparkline.tsx'

/** What the policy promises, what is, and how it went in the last six hours. */
export function KeyMetrics({ metrics }: { metrics: readonly KeyMetric[] }): ReactNode {
  return (
    <ul className={styles.metrics} aria-label={t`Key metrics against their targets`}>
      {metrics.map((metric) => {
        const tone = metric.isMet === null ? 'neutral' : metric.isMet ? 'good' : 'bad'
        return (
          <li key={metric.signal} data-tone={tone}>
            <span className={styles.name}>{signalTitle(metric.signal, metric.title)}</span>
            <span className={styles.value}>
              {metric.isMet === false && <Icon name="warning" size={16} />}
              {formatSignal(metric.unit, metric.value)}
            </span>
            <span className={styles.target}>
              {t`target ${boundWords(metric.target.is, formatSignal(metric.unit, metric.target.value))}, ${formatWindow(metric.windowMs)}`}
              <span className="visually-hidden">
                {metric.isMet === null ? t`not known` : metric.isMet ? t`kept` : t`missed`}
              </span>
            </span>
            <Sparkline values={metric.trend} tone={tone === 'bad' ? 'bad' : 'neutral'} />
          </li>
        )
      })}
    </ul>
  )
}

const dayMs = 86_400_000

const formatWindow = (windowMs: number): string =>
  windowMs >= dayMs ? t`${Math.round(windowMs / dayMs)} days` : formatWait(windowMs / 1_000)
