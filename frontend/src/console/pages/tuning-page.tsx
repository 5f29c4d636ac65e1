import type { TuningView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Panel } from '../../ui/panel.tsx'
import { read } from '../lib/api.ts'
import { useSearch } from '../lib/use-search.ts'
import { ChooseEnvironment, useEnvironments } from '../parts/choose-environment.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import gates from '../parts/gate-list.module.css'
import { Status, type Tone } from '../parts/status.tsx'

type Line = TuningView['lines'][number]

const lineWords = (state: Line['state']): { word: string; tone: Tone } =>
  ({
    ok: { word: t`Within bounds`, tone: 'good' as const },
    'out-of-bounds': { word: t`Out of bounds`, tone: 'warning' as const },
    unknown: { word: t`Not known`, tone: 'neutral' as const },
  })[state]

const order: Record<Line['state'], number> = { 'out-of-bounds': 0, unknown: 1, ok: 2 }

/** The runbook's chapter Performance Tuning, measured now. What is out of bounds comes first. */
export default function TuningPage(): ReactNode {
  const environments = useEnvironments()
  const [chosen] = useSearch('environment')
  const environment = chosen || environments?.[0]?.name || ''
  const query = useQuery({
    ...read('tuning', 'getTuning', { params: { environment } }),
    enabled: environment !== '',
    staleTime: 60_000,
  })
  return (
    <ConsolePage
      title={t`Tuning`}
      lead={t`What makes DAM fast, with its figure and its bound. Measured when this page is opened; it only reads.`}
      tools={
        <>
          <ChooseEnvironment all={false} />
          <Button look="outline" icon="retry" disabled={query.isFetching} onClick={() => void query.refetch()}>
            {query.isFetching ? t`Looking…` : t`Look again`}
          </Button>
        </>
      }
    >
      <Answer query={query}>
        {({ lines }) => (
          <>
            {(['frontend', 'backend'] as const).map((area) => (
              <Panel key={area} title={area === 'frontend' ? t`In the browser` : t`On the server`}>
                <ul className={gates.gates}>
                  {lines
                    .filter((line) => line.area === area)
                    .toSorted((a, b) => order[a.state] - order[b.state])
                    .map((line) => {
                      const { word, tone } = lineWords(line.state)
                      return (
                        <li key={line.name}>
                          <div className={gates.head}>
                            <strong>{line.name}</strong>
                            <Status tone={tone}>{word}</Status>
                          </div>
                          <p className={gates.evidence}>{line.figure}</p>
                          <p className={gates.note}>{t`bound: ${line.bound}`}</p>
                          {line.advice && <p className={gates.evidence}>→ {line.advice}</p>}
                        </li>
                      )
                    })}
                </ul>
              </Panel>
            ))}
          </>
        )}
      </Answer>
    </ConsolePage>
  )
}
