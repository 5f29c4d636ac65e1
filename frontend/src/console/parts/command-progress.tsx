import type { ActionView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Panel } from '../../ui/panel.tsx'
import { read } from '../lib/api.ts'
import plain from './plain-list.module.css'
import { Status, type Tone } from './status.tsx'

const everyMs = 1_000

const stateWords = (state: ActionView['state']): { word: string; tone: Tone } =>
  ({
    running: { word: t`Running`, tone: 'running' as const },
    done: { word: t`Done`, tone: 'good' as const },
    failed: { word: t`Failed`, tone: 'bad' as const },
    unknown: { word: t`Ended unseen`, tone: 'warning' as const },
  })[state]

/** A command that was started from here, with what it prints. It goes on when this page is closed. */
export function CommandProgress({ action }: { action: number }): ReactNode {
  const query = useQuery({
    ...read('actions', 'getAction', { params: { id: action } }),
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? everyMs : false),
  })
  if (!query.data) return null
  const { word, tone } = stateWords(query.data.state)
  return (
    <Panel title={t`Command`} tools={<Status tone={tone}>{word}</Status>}>
      <p className={plain.code}>
        <code>{query.data.command}</code>
      </p>
      {query.data.output !== '' && (
        <pre className={plain.output} tabIndex={0} role="log" aria-label={t`What it printed`}>
          {query.data.output}
        </pre>
      )}
    </Panel>
  )
}
