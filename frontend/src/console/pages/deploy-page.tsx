import type { GateView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read } from '../lib/api.ts'
import { useFollowDeployment } from '../lib/use-follow-deployment.ts'
import { useSearch } from '../lib/use-search.ts'
import { Choice } from '../parts/choice.tsx'
import { ChooseEnvironment, useEnvironments } from '../parts/choose-environment.tsx'
import { CommandProgress } from '../parts/command-progress.tsx'
import { ConfirmByName } from '../parts/confirm-by-name.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { GateList } from '../parts/gate-list.tsx'
import plain from '../parts/plain-list.module.css'

type DeployPlan = { from: string | null; gates: GateView[]; obstacles: string[]; steps: string[]; canRun: boolean }

const readPlan = (answer: unknown): DeployPlan | null =>
  typeof answer === 'object' && answer !== null && 'gates' in answer && 'steps' in answer
    ? (answer as DeployPlan)
    : null

/** First the plan with every gate, then the deed. */
export default function DeployPage(): ReactNode {
  const environments = useEnvironments()?.filter(({ isLocal }) => !isLocal)
  const releases = useQuery(read('releases', 'listReleases', {}))
  const [chosenEnvironment] = useSearch('environment')
  const [chosenTag, setTag] = useSearch('tag')
  const [isAsking, setAsking] = useState(false)
  const [action, setAction] = useState<number | null>(null)
  const environment = chosenEnvironment || environments?.[0]?.name || ''
  const deployable = releases.data?.results.filter(({ verdict }) => verdict === 'unknown' || verdict === 'good') ?? []
  const tag = chosenTag || deployable[0]?.tag || ''
  const plan = useQuery({
    ...read('deploy-plan', 'planDeployment', { params: { environment }, query: { tag } }),
    enabled: environment !== '' && tag !== '',
  })
  useFollowDeployment(environment, action !== null)
  const shown = plan.data ? readPlan(plan.data.answer) : null
  const deploy = useMutation({
    mutationFn: async (confirm: string) =>
      (await api('startDeployment', { params: { environment }, body: { tag, confirm } })).data,
    onSuccess: (started) => {
      setAction(started.action)
      setAsking(false)
    },
  })
  return (
    <ConsolePage
      title={t`Deploy a release`}
      up={{ to: '/deployments', label: t`Deployments` }}
      tools={
        action === null && (
          <>
            <Choice
              label={t`Release`}
              value={tag}
              options={deployable.map((release) => [release.tag, release.tag] as const)}
              onChange={setTag}
            />
            <ChooseEnvironment all={false} />
          </>
        )
      }
    >
      {action !== null && <CommandProgress action={action} />}
      {action !== null ? null : environment !== '' && tag !== '' ? (
        <Answer query={plan}>
          {(answer) =>
            shown ? (
              <>
                <Panel
                  title={t`Gates`}
                  description={t`What must be true before ${tag} may go to ${environment}.`}
                  tools={
                    <Button look="outline" icon="retry" onClick={() => void plan.refetch()} disabled={plan.isFetching}>
                      {t`Look again`}
                    </Button>
                  }
                >
                  <GateList gates={shown.gates} />
                </Panel>
                <Panel title={t`What will happen`}>
                  <ol className={plain.list}>
                    {shown.steps.map((step) => (
                      <li key={step}>
                        <span>{step}</span>
                      </li>
                    ))}
                  </ol>
                  {shown.obstacles.map((obstacle) => (
                    <p key={obstacle} role="alert">
                      {obstacle}
                    </p>
                  ))}
                </Panel>
                <div>
                  <Button look="primary" icon="ship" disabled={!shown.canRun} onClick={() => setAsking(true)}>
                    {t`Deploy ${tag} to ${environment}`}
                  </Button>
                </div>
              </>
            ) : (
              <pre className={plain.output}>{answer.output || t`No plan was given.`}</pre>
            )
          }
        </Answer>
      ) : (
        <p className={plain.note}>{t`There is no release that may be deployed. Build one: ./dam release build`}</p>
      )}
      {isAsking && (
        <Dialog
          title={t`Deploy ${tag} to ${environment}`}
          description={t`Users are moved to it when it is ready. It is watched, and rolled back by itself when it is bad.`}
          onClose={() => setAsking(false)}
        >
          <ConfirmByName
            name={environment}
            submit={t`Deploy`}
            look="primary"
            asksReason={false}
            isPossible
            isPending={deploy.isPending}
            error={deploy.error?.message ?? null}
            onConfirm={({ confirm }) => deploy.mutate(confirm)}
            onClose={() => setAsking(false)}
          />
        </Dialog>
      )}
    </ConsolePage>
  )
}
