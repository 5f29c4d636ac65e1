import { t } from '@lingui/core/macro'
import { useMutation, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { formatWait } from '../../lib/format.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Loading } from '../../ui/loading.tsx'
import { api, read } from '../lib/api.ts'
import { ConfirmByName } from './confirm-by-name.tsx'
import gates from './gate-list.module.css'
import plain from './plain-list.module.css'
import { readRollbackPlan, type RollbackPlan } from './rollback-plan.ts'
import { Status } from './status.tsx'

/** Shows every way back with its time and its losses first; then asks for a reason and the environment's name. */
export default function RollbackDialog({
  environment,
  onStarted,
  onClose,
}: {
  environment: string
  onStarted: (action: number) => void
  onClose: () => void
}): ReactNode {
  const query = useQuery({
    ...read('rollback-plan', 'planRollback', { params: { environment }, query: {} }),
    gcTime: 0,
  })
  const plan = query.data ? readRollbackPlan(query.data.answer) : null
  const start = useMutation({
    mutationFn: async (input: { confirm: string; reason: string }) =>
      (await api('startRollback', { params: { environment }, body: input })).data,
    onSuccess: ({ action }) => {
      onStarted(action)
      onClose()
    },
  })
  return (
    <Dialog
      title={t`Roll back ${environment}`}
      size="large"
      description={plan?.to ? t`From ${plan.from ?? '?'} to ${plan.to}.` : undefined}
      onClose={onClose}
    >
      {query.isPending && <Loading />}
      {query.error && <p role="alert">{query.error.message}</p>}
      {query.data && !plan && <pre className={plain.output}>{query.data.output || t`No plan was given.`}</pre>}
      {plan && <Ladder plan={plan} />}
      <ConfirmByName
        name={environment}
        submit={t`Roll back`}
        asksReason
        isPossible={plan?.chosen !== null && plan !== null}
        isPending={start.isPending}
        error={start.error?.message ?? null}
        onConfirm={(input) => start.mutate(input)}
        onClose={onClose}
      />
    </Dialog>
  )
}

function Ladder({ plan }: { plan: RollbackPlan }): ReactNode {
  return (
    <ol className={gates.gates}>
      {plan.rungs.map((rung) => (
        <li key={rung.name}>
          <div className={gates.head}>
            <strong>{rung.title}</strong>
            {rung.name === plan.chosen ? (
              <Status tone="running" icon="play">{t`this one is taken`}</Status>
            ) : (
              <Status tone="neutral" icon={rung.isPossible ? 'check' : 'close'}>
                {rung.isPossible ? t`possible` : t`not possible`}
              </Status>
            )}
          </div>
          <p className={gates.evidence}>{rung.because}</p>
          <p className={gates.note}>
            {rung.predictedSeconds === null
              ? t`time not known yet`
              : t`about ${formatWait(rung.predictedSeconds)} of the promised ${formatWait(plan.withinMinutes * 60)}`}
            {' · '}
            {rung.loses ? t`loses: ${rung.loses}` : t`loses nothing`}
          </p>
        </li>
      ))}
    </ol>
  )
}
