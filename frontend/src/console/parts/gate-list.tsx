import type { GateView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { formatDateTime } from '../../lib/format.ts'
import { Button } from '../../ui/button.tsx'
import styles from './gate-list.module.css'
import { Status, type Tone } from './status.tsx'
import { When } from './when.tsx'

const gateWords = (state: GateView['state']): { word: string; tone: Tone } =>
  ({
    pass: { word: t`Passed`, tone: 'good' as const },
    fail: { word: t`Failed`, tone: 'bad' as const },
    waived: { word: t`Waived`, tone: 'warning' as const },
    stale: { word: t`Too old`, tone: 'warning' as const },
    unknown: { word: t`Not known`, tone: 'neutral' as const },
  })[state]

/** The lines of the checklist with what each rests on and, where it does not pass, the command that changes it. */
export function GateList({
  gates,
  onWaive = null,
  onReview = null,
}: {
  gates: readonly GateView[]
  /** Offered where a line does not pass; null: not to this person. */
  onWaive?: ((gate: GateView) => void) | null
  /** Offered beside the line that a review opens. */
  onReview?: (() => void) | null
}): ReactNode {
  return (
    <ol className={styles.gates}>
      {gates.map((gate) => {
        const { word, tone } = gateWords(gate.state)
        return (
          <li key={gate.kind}>
            <div className={styles.head}>
              <strong>{gate.title}</strong>
              <Status tone={tone}>{word}</Status>
            </div>
            <p className={styles.evidence}>{gate.evidence.summary}</p>
            {(gate.by || gate.at || gate.expiresAt) && (
              <p className={styles.note}>
                {gate.by && <bdi>{gate.by}</bdi>}
                {gate.by && gate.at && ' · '}
                {gate.at && <When at={gate.at} />}
                {gate.expiresAt && ` · ${t`good until ${formatDateTime(gate.expiresAt)}`}`}
              </p>
            )}
            {gate.remedy && gate.state !== 'pass' && <code className={styles.remedy}>{gate.remedy}</code>}
            {gate.state !== 'pass' && gate.state !== 'waived' && (onWaive || onReview) && (
              <div className={styles.act}>
                {onReview && gate.kind === 'reviewed' && (
                  <Button look="outline" onClick={onReview}>{t`Attest a review…`}</Button>
                )}
                {onWaive && (
                  <Button look="outline" aria-label={t`Waive… ${gate.title}`} onClick={() => onWaive(gate)}>
                    {t`Waive…`}
                  </Button>
                )}
              </div>
            )}
          </li>
        )
      })}
    </ol>
  )
}
