import type { DeploymentDetail } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { formatLength } from '../parts/format-length.ts'
import { Link } from '../../lib/navigation.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Loading } from '../../ui/loading.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read } from '../lib/api.ts'
import { useFollowDeployment } from '../lib/use-follow-deployment.ts'
import { useMay } from '../lib/use-may.ts'
import { useNow } from '../lib/use-now.ts'
import { CommandProgress } from '../parts/command-progress.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { Fact, Facts } from '../parts/facts.tsx'
import { Status } from '../parts/status.tsx'
import { StepList } from '../parts/step-list.tsx'
import { When } from '../parts/when.tsx'
import { deploymentWords } from '../parts/words.ts'
import type { PageProps } from '../routes.ts'
import styles from './deployment-page.module.css'

const JudgePlot = lazy(() => import('../parts/judge-plot.tsx'))
const RollbackDialog = lazy(() => import('../parts/rollback-dialog.tsx'))

export default function DeploymentPage({ params }: PageProps): ReactNode {
  const id = Number(params['id'])
  const query = useQuery(read('deployments', 'getDeployment', { params: { id } }))
  const mayAct = useMay('operator')
  const [isRollingBack, setRollingBack] = useState(false)
  const [action, setAction] = useState<number | null>(null)
  const deployment = query.data
  useFollowDeployment(deployment?.environment ?? '', action !== null)
  const title = !deployment
    ? t`Deployment`
    : deployment.kind === 'rollback'
      ? t`Rollback of ${deployment.environment} to ${deployment.tag}`
      : t`${deployment.tag} to ${deployment.environment}`
  const canRollBack =
    deployment?.kind === 'deploy' && !['failed', 'verified', 'rolled-back', 'rolling-back'].includes(deployment.state)
  return (
    <ConsolePage
      title={title}
      up={{ to: '/deployments', label: t`Deployments` }}
      tools={
        canRollBack &&
        mayAct && (
          <Button look="danger" icon="restore" onClick={() => setRollingBack(true)}>
            {t`Roll back…`}
          </Button>
        )
      }
    >
      {action !== null && <CommandProgress action={action} />}
      <Answer query={query}>{(data) => <Deployment deployment={data} mayAct={mayAct} onStarted={setAction} />}</Answer>
      {isRollingBack && deployment && (
        <Suspense>
          <RollbackDialog
            environment={deployment.environment}
            onStarted={setAction}
            onClose={() => setRollingBack(false)}
          />
        </Suspense>
      )}
    </ConsolePage>
  )
}

function Deployment({
  deployment,
  mayAct,
  onStarted,
}: {
  deployment: DeploymentDetail
  mayAct: boolean
  onStarted: (action: number) => void
}): ReactNode {
  const { word, tone } = deploymentWords(deployment.state)
  const last = deployment.trace.looks.at(-1)
  const now = useNow(1_000)
  return (
    <>
      <Panel title={t`State`} tools={<Status tone={tone}>{word}</Status>}>
        {deployment.because && <p className={styles.because}>{deployment.because}</p>}
        <Facts>
          <Fact name={t`Release`}>
            <Link to={`/releases/${deployment.digest}`}>{deployment.tag}</Link>
            {deployment.previousTag && ` ${t`after ${deployment.previousTag}`}`}
          </Fact>
          <Fact name={t`Asked for`}>
            {deployment.requestedBy} · <When at={deployment.requestedAt} />
          </Fact>
          <Fact name={deployment.endedAt === null ? t`Takes so far` : t`Took`}>
            {formatLength(
              (deployment.endedAt === null ? now : Date.parse(deployment.endedAt)) - Date.parse(deployment.requestedAt),
            )}
          </Fact>
          {deployment.endedAt === null && (
            <Fact name={t`Deployer`}>
              {deployment.isHeld ? (
                t`${deployment.heldBy} works on it`
              ) : (
                <>
                  {t`nobody works on it; it goes on with`} <code>./dam deploy --resume {deployment.environment}</code>
                </>
              )}
            </Fact>
          )}
        </Facts>
        {deployment.state === 'waiting-for-person' && mayAct && (
          <Decision deployment={deployment} onStarted={onStarted} />
        )}
      </Panel>
      <Stamps deployment={deployment} />
      {deployment.trace.looks.length > 0 && (
        <Panel title={t`What the judge sees`}>
          {last && (
            <p className={styles.because} role="status">
              {verdictOf(last.verdict)}: {last.because}
            </p>
          )}
          <Suspense fallback={<Loading />}>
            <JudgePlot trace={deployment.trace} />
          </Suspense>
        </Panel>
      )}
      <Panel title={t`Steps`}>
        <StepList events={deployment.events} />
      </Panel>
      {deployment.slots.length > 0 && (
        <Panel title={t`Processes`}>
          <Facts>
            {deployment.slots.map((slot) => (
              <Fact key={slot.id} name={slot.id}>
                {slot.tag} · {t`port ${slot.port}`} · web {slot.desiredWeb} · worker {slot.desiredWorker}
              </Fact>
            ))}
          </Facts>
        </Panel>
      )}
    </>
  )
}

const verdictOf = (verdict: string): string =>
  ({
    good: t`Good`,
    bad: t`Bad`,
    inconclusive: t`Not decided yet`,
    environment: t`Not this release's fault`,
  })[verdict] ?? verdict

function Decision({
  deployment,
  onStarted,
}: {
  deployment: DeploymentDetail
  onStarted: (action: number) => void
}): ReactNode {
  const [reason, setReason] = useState('')
  const decide = useMutation({
    mutationFn: async (decision: 'accept' | 'extend' | 'rollback') =>
      (await api('decideDeployment', { params: { id: deployment.id }, body: { decision, reason: reason.trim() } }))
        .data,
    onSuccess: ({ action }) => onStarted(action),
  })
  const isReady = reason.trim() !== '' && !decide.isPending
  return (
    <div className={styles.decision}>
      <Field label={t`Reason, for the record`} value={reason} onChange={setReason} />
      <div className={styles.buttons}>
        <Button
          look="primary"
          disabled={!isReady}
          onClick={() => decide.mutate('accept')}
        >{t`Keep the release`}</Button>
        <Button look="outline" disabled={!isReady} onClick={() => decide.mutate('extend')}>{t`Watch longer`}</Button>
        <Button look="danger" disabled={!isReady} onClick={() => decide.mutate('rollback')}>{t`Roll back`}</Button>
      </div>
      <p role="alert">{decide.error?.message}</p>
    </div>
  )
}

const promiseMinutes = 15

/** How long the way back took, moment by moment, against what is promised. */
function Stamps({ deployment: { stamps } }: { deployment: DeploymentDetail }): ReactNode {
  const names: [string, string][] = [
    ['detectedAt', t`Detected`],
    ['decidedAt', t`Decided`],
    ['restoredAt', t`Traffic restored`],
    ['verifiedAt', t`Verified`],
    ['notifiedAt', t`Everybody told`],
  ]
  const first = stamps['detectedAt'] ?? stamps['decidedAt']
  if (first === undefined) return null
  const total = Math.max(...Object.values(stamps).map((at) => Date.parse(at) - Date.parse(first)))
  const used = total / (promiseMinutes * 60_000)
  return (
    <Panel title={t`Way back`} description={t`Against the promise of ${promiseMinutes} minutes.`}>
      <div
        className={styles.promise}
        role="img"
        aria-label={t`${formatLength(total)} of ${promiseMinutes} minutes`}
        data-over={used > 1 || undefined}
      >
        <span style={{ inlineSize: `${Math.min(100, Math.max(0.5, used * 100))}%` }} />
      </div>
      <Facts>
        {names.map(([key, name]) => {
          const at = stamps[key]
          return at === undefined ? null : (
            <Fact key={key} name={name}>
              {t`after ${formatLength(Date.parse(at) - Date.parse(first))}`}
            </Fact>
          )
        })}
      </Facts>
    </Panel>
  )
}
