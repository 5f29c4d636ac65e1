import type { DiagnosisView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatNumber } from '../../lib/format.ts'
import { Button } from '../../ui/button.tsx'
import { Loading } from '../../ui/loading.tsx'
import { Notice } from '../../ui/notice.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useSearch } from '../lib/use-search.ts'
import { Choice } from '../parts/choice.tsx'
import { ChooseEnvironment, useEnvironments } from '../parts/choose-environment.tsx'
import { ConsolePage } from '../parts/console-page.tsx'
import { formatLength } from '../parts/format-length.ts'
import gates from '../parts/gate-list.module.css'
import plain from '../parts/plain-list.module.css'
import { Status, type Tone } from '../parts/status.tsx'
import { When } from '../parts/when.tsx'

type Playbook = DiagnosisView['playbook']
const playbooks = (): readonly (readonly [Playbook, string])[] => [
  ['errors', t`High error rate`],
  ['slow', t`Slow responses`],
  ['memory', t`Memory grows`],
  ['database', t`Database connections`],
  ['cdn', t`Stale or missing files of the CDN`],
]

/** Below this weight a cause is a hint, not an answer. */
const answerWeight = 4

/** One of the five common issues: what is most likely the matter, and the one thing to do about it. */
export default function DiagnosisPage(): ReactNode {
  const environments = useEnvironments()
  const [chosenEnvironment] = useSearch('environment')
  const [chosenPlaybook, setPlaybook] = useSearch('issue')
  const environment = chosenEnvironment || environments?.[0]?.name || ''
  const playbook = playbooks().find(([name]) => name === chosenPlaybook)?.[0] ?? 'errors'
  const mayLook = useMay('operator')
  const [found, setFound] = useState<DiagnosisView | null>(null)
  const look = useMutation({
    mutationFn: async () => (await api('diagnose', { params: { environment }, body: { playbook } })).data,
    onSuccess: setFound,
  })
  return (
    <ConsolePage
      title={t`Diagnosis`}
      lead={t`Looks at everything that bears on one of the five common issues of the runbook. It only reads. A firing alert does the same by itself.`}
      tools={
        <>
          <Choice label={t`Issue`} value={playbook} options={playbooks()} onChange={setPlaybook} />
          <ChooseEnvironment all={false} />
          {mayLook && (
            <Button
              look="primary"
              icon="search"
              disabled={look.isPending || environment === ''}
              onClick={() => look.mutate()}
            >
              {t`Diagnose`}
            </Button>
          )}
        </>
      }
    >
      {look.error && <p role="alert">{look.error.message}</p>}
      {look.isPending && <Loading />}
      {!look.isPending && found && <Found diagnosis={found} />}
      {!look.isPending && !found && (
        <Notice
          icon="search"
          level={2}
          title={t`Nothing has been looked at yet`}
          message={t`Choose what users notice, then let it look: it takes a few seconds.`}
        />
      )}
    </ConsolePage>
  )
}

const riskWords = (risk: DiagnosisView['causes'][number]['action']['risk']): { word: string; tone: Tone } =>
  ({
    read: { word: t`only reads`, tone: 'neutral' as const },
    reversible: { word: t`can be taken back`, tone: 'neutral' as const },
    disruptive: { word: t`users notice it`, tone: 'warning' as const },
    destructive: { word: t`cannot be taken back`, tone: 'bad' as const },
  })[risk]

function Found({ diagnosis }: { diagnosis: DiagnosisView }): ReactNode {
  const issue = playbooks().find(([name]) => name === diagnosis.playbook)?.[1] ?? diagnosis.playbook
  const unknown = Object.entries(diagnosis.findings).filter(([, { state }]) => state === 'unknown')
  return (
    <>
      <Panel title={t`${issue} in ${diagnosis.environment}`}>
        <p className={plain.note}>
          <When at={diagnosis.at} /> · {t`took ${formatLength(diagnosis.tookMs)}`} · {t`diagnosis ${diagnosis.id}`}
        </p>
        {diagnosis.causes.length === 0 ? (
          <p role="status">
            <Status tone="good">{t`Nothing stands out`}</Status>
          </p>
        ) : (
          <ol className={gates.gates} role="status">
            {diagnosis.causes.map((cause, index) => {
              const risk = riskWords(cause.action.risk)
              const isAnswer = index === 0 && cause.weight >= answerWeight
              return (
                <li key={cause.cause}>
                  <div className={gates.head}>
                    <strong>{cause.title}</strong>
                    <Status tone={isAnswer ? 'bad' : 'neutral'}>
                      {isAnswer
                        ? t`most likely, ${formatNumber(cause.share * 100, 0)} %`
                        : t`${formatNumber(cause.share * 100, 0)} %`}
                    </Status>
                  </div>
                  <ul className={plain.list}>
                    {cause.evidence.map((evidence) => (
                      <li key={evidence}>
                        <span>{evidence}</span>
                      </li>
                    ))}
                  </ul>
                  <p className={gates.note}>
                    {cause.action.title} · <Status tone={risk.tone}>{risk.word}</Status>
                  </p>
                  <code className={gates.remedy}>
                    {cause.action.kind === 'advice' ? cause.action.command : `./dam fix ${diagnosis.id}.${index + 1}`}
                  </code>
                </li>
              )
            })}
          </ol>
        )}
      </Panel>
      {unknown.length > 0 && (
        <Panel title={t`What could not be asked`}>
          <ul className={plain.list}>
            {unknown.map(([name, { because }]) => (
              <li key={name}>
                <strong>{name}</strong>
                <span>{because}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  )
}
