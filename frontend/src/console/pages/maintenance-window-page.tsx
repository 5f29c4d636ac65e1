import type { MaintenanceDetail } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatDateTime, formatDay, formatTime, formatWait } from '../../lib/format.ts'
import { Button } from '../../ui/button.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useNow } from '../lib/use-now.ts'
import type { PageProps } from '../routes.ts'
import { CommandProgress } from '../parts/command-progress.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { Fact, Facts } from '../parts/facts.tsx'
import plain from '../parts/plain-list.module.css'
import { Status } from '../parts/status.tsx'
import styles from './maintenance.module.css'
import { MaintenanceChecklist } from './maintenance-checklist.tsx'
import { MaintenanceReport } from './maintenance-report.tsx'
import { noticeWords, spanWords, windowWords } from './maintenance-words.ts'
import { PlanWindowDialog } from './plan-window-dialog.tsx'
import { ReasonDialog } from './reason-dialog.tsx'
import { StartMaintenanceDialog } from './start-maintenance-dialog.tsx'

const refreshMs = 15_000

export default function MaintenanceWindowPage({ params }: PageProps): ReactNode {
  const id = Number(params['id'])
  const query = useQuery({
    ...read('maintenance', 'getMaintenanceWindow', { params: { id } }),
    refetchInterval: refreshMs,
  })
  return (
    <ConsolePage
      title={query.data ? spanWords(query.data) : t`Maintenance`}
      up={{ to: '/maintenance', label: t`Maintenance` }}
    >
      <Answer query={query}>{(window) => <WindowDetail window={window} />}</Answer>
    </ConsolePage>
  )
}

function WindowDetail({ window }: { window: MaintenanceDetail }): ReactNode {
  const client = useQueryClient()
  const mayAct = useMay('operator')
  const [dialog, setDialog] = useState<'start' | 'move' | 'cancel' | null>(null)
  const [action, setAction] = useState<number | null>(null)
  const { id, state, mode } = window
  const end = useMutation({
    mutationFn: async () => (await api('endMaintenance', { params: { id } })).data,
    onSuccess: (started) => setAction(started.action),
  })
  const { word, tone } = windowWords(state)
  const close = (): void => {
    setDialog(null)
    void client.invalidateQueries({ queryKey: ['maintenance'] })
  }
  return (
    <>
      <Panel
        title={window.name}
        tools={
          <Status tone={tone}>
            {word}
            {state === 'active' && ` · ${mode === 'full' ? t`closed` : t`read-only`}`}
          </Status>
        }
      >
        <Facts>
          <Fact name={t`Environment`}>{window.environment}</Fact>
          <Fact name={t`Reason`}>{window.reason}</Fact>
          {window.absorbed.length > 0 && <Fact name={t`Includes`}>{window.absorbed.join(', ')}</Fact>}
          <Fact name={t`Notices`}>{noticeWords(window)}</Fact>
          {window.enteredAt && (
            <Fact name={t`Began`}>{t`${formatDateTime(window.enteredAt)}, by ${window.enteredBy ?? ''}`}</Fact>
          )}
          {window.leftAt && (
            <Fact name={t`Ended`}>{t`${formatDateTime(window.leftAt)}, by ${window.leftBy ?? ''}`}</Fact>
          )}
          {(state === 'active' || state === 'scheduled') && (
            <Fact name={t`Point of no return`}>
              <NoReturn window={window} />
            </Fact>
          )}
        </Facts>
        {mayAct && (
          <div className={styles.tools}>
            {state === 'scheduled' && (
              <>
                <Button look="primary" onClick={() => setDialog('start')}>{t`Begin maintenance…`}</Button>
                <Button look="outline" onClick={() => setDialog('move')}>{t`Move…`}</Button>
                <Button look="outline" onClick={() => setDialog('cancel')}>{t`Call off…`}</Button>
              </>
            )}
            {state === 'active' && (
              <Button look="primary" disabled={end.isPending} onClick={() => end.mutate()}>{t`End maintenance`}</Button>
            )}
          </div>
        )}
        {end.error && <p role="alert">{end.error.message}</p>}
      </Panel>
      {action !== null && <CommandProgress action={action} />}
      {window.report && <MaintenanceReport report={window.report} />}
      {!window.report && state !== 'cancelled' && <MaintenanceChecklist window={window} mayVouch={mayAct} />}
      <Panel title={t`Notices to users`}>
        <ul className={plain.list}>
          {window.notices.map((notice) => (
            <li key={`${notice.kind} ${notice.dueAt}`}>
              <span>{noticeName(notice.kind)}</span>
              <span>{noticeState(notice)}</span>
            </li>
          ))}
        </ul>
      </Panel>
      {dialog === 'start' && <StartMaintenanceDialog window={window} onStarted={setAction} onClose={close} />}
      {dialog === 'move' && <PlanWindowDialog moved={window} onClose={close} />}
      {dialog === 'cancel' && (
        <ReasonDialog
          title={t`Call the window off`}
          description={t`Whoever was told of it is told that it does not take place.`}
          label={t`Reason, for the record`}
          submit={t`Call off`}
          work={async (reason) => void (await api('cancelMaintenance', { params: { id }, body: { reason } }))}
          onClose={close}
        />
      )}
    </>
  )
}

function NoReturn({ window }: { window: MaintenanceDetail }): ReactNode {
  const now = useNow(refreshMs)
  const { at, seconds, from } = window.pointOfNoReturn
  const isPast = Date.parse(at) <= now
  return (
    <>
      {isPast && window.state === 'active' && <Status tone="bad">{t`passed`}</Status>}{' '}
      {t`${formatTime(at)}: going back takes ${formatWait(Math.ceil(seconds))} (${from})`}
    </>
  )
}

const noticeName = (kind: string): string =>
  ({
    advance: t`Announcement`,
    reminder: t`Reminder`,
    start: t`Beginning`,
    changed: t`Change`,
    extended: t`Extension`,
    'no-return': t`Point of no return`,
    end: t`End`,
    cancelled: t`Called off`,
  })[kind] ?? kind

function noticeState({ sentAt, dueAt, outcome }: MaintenanceDetail['notices'][number]): string {
  if (sentAt === null) return t`due on ${formatDay(dueAt)}, ${formatTime(dueAt)}`
  if (outcome === 'superseded') return t`a later one says it`
  const at = formatDateTime(sentAt)
  return outcome === 'short-notice' ? t`sent ${at}, at short notice` : t`sent ${at}`
}
