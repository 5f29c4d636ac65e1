import type { DeploymentEventView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { formatLength } from './format-length.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import styles from './step-list.module.css'
import { deploymentWords } from './words.ts'

type Step = { key: number; step: string; status: string; message: string; at: string; endedAt: string | null }

/** The time line of a deployment: each step once, with how long it took. */
export function StepList({ events }: { events: readonly DeploymentEventView[] }): ReactNode {
  const steps = foldSteps(events)
  if (steps.length === 0) return <p>{t`Nothing has happened yet.`}</p>
  return (
    <ol className={styles.steps}>
      {steps.map((step) => (
        <li key={step.key} data-status={step.status}>
          <Icon name={icons[step.status] ?? 'info'} size={16} />
          <span className={styles.text}>
            <strong>{deploymentWords(step.step).word}</strong>
            {step.message && <span>{step.message}</span>}
          </span>
          <span className="visually-hidden">{statusWord(step.status)}</span>
          <span className={styles.time}>
            <time dateTime={step.at}>{clock(step.at)}</time>
            {step.endedAt !== null && step.endedAt !== step.at && (
              <b>{formatLength(Date.parse(step.endedAt) - Date.parse(step.at))}</b>
            )}
          </span>
        </li>
      ))}
    </ol>
  )
}

const icons: Record<string, IconName> = {
  started: 'clock',
  done: 'check',
  failed: 'warning',
  skipped: 'chevron-right',
  note: 'info',
}

const statusWord = (status: string): string =>
  ({
    started: t`running`,
    done: t`done`,
    failed: t`failed`,
    skipped: t`skipped`,
    note: t`note`,
  })[status] ?? status

const clock = (at: string): string => new Date(at).toTimeString().slice(0, 8)

/** A start and its end become one line; what has no end yet is running. */
function foldSteps(events: readonly DeploymentEventView[]): Step[] {
  const steps: Step[] = []
  for (const event of events) {
    const open = steps.findLast((step) => step.step === event.step && step.status === 'started')
    if (open && (event.status === 'done' || event.status === 'failed')) {
      open.status = event.status
      open.endedAt = event.at
      open.message = event.message || open.message
    } else {
      steps.push({
        key: event.id,
        step: event.step,
        status: event.status,
        message: event.message,
        at: event.at,
        endedAt: null,
      })
    }
  }
  return steps
}
