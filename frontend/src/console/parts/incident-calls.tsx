import type { IncidentCalls, IncidentDetail } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatDateTime, formatWait } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import form from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { Choice } from './choice.tsx'
import { Answer } from './console-page.tsx'
import { Fact, Facts } from './facts.tsx'
import plain from './plain-list.module.css'
import { Status, type Tone } from './status.tsx'
import { TextArea } from './text-area.tsx'
import { When } from './when.tsx'

const refreshMs = 5_000

/** Who is called for an incident and when, what reached whom with its proof, and what the public was told. */
export function IncidentCallsPanels({ incident }: { incident: IncidentDetail }): ReactNode {
  const mayAct = useMay('operator')
  const query = useQuery({
    ...read('incidents', 'getIncidentCalls', { params: { id: incident.id } }),
    refetchInterval: incident.state === 'resolved' ? false : refreshMs,
  })
  return (
    <Answer query={query}>
      {(calls) => (
        <>
          <Panel
            title={t`Who is called`}
            tools={mayAct && incident.state !== 'resolved' ? <Steer incident={incident} /> : undefined}
          >
            <Escalation calls={calls} incident={incident} />
          </Panel>
          <Panel title={t`Delivered messages`}>
            <Deliveries deliveries={calls.deliveries} />
          </Panel>
          {(calls.isPublicEnvironment || calls.publicUpdates.length > 0) && (
            <PublicUpdates calls={calls} incident={incident} />
          )}
        </>
      )}
    </Answer>
  )
}

function Steer({ incident }: { incident: IncidentDetail }): ReactNode {
  const client = useQueryClient()
  const [isChanging, setChanging] = useState(false)
  const [isSnoozing, setSnoozing] = useState(false)
  const giveBack = useMutation({
    mutationFn: async () => {
      await api('withdrawAcknowledgement', { params: { id: incident.id } })
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['incidents'] }),
  })
  return (
    <span className={plain.tools}>
      {incident.state === 'acknowledged' && (
        <Button
          look="outline"
          disabled={giveBack.isPending}
          onClick={() => giveBack.mutate()}
        >{t`Give it back`}</Button>
      )}
      <Button look="outline" onClick={() => setChanging(true)}>{t`Severity…`}</Button>
      <Button look="outline" onClick={() => setSnoozing(true)}>{t`Put off…`}</Button>
      <span role="alert">{giveBack.error?.message}</span>
      {isChanging && <SeverityDialog incident={incident} onClose={() => setChanging(false)} />}
      {isSnoozing && <SnoozeDialog incident={incident} onClose={() => setSnoozing(false)} />}
    </span>
  )
}

const severities = ['P0', 'P1', 'P2', 'P3'] as const

function SeverityDialog({ incident, onClose }: { incident: IncidentDetail; onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [severity, setSeverity] = useState(severities.find((one) => one !== incident.severity) ?? 'P1')
  const [reason, setReason] = useState('')
  const change = useMutation({
    mutationFn: async () => {
      await api('setIncidentSeverity', { params: { id: incident.id }, body: { severity, reason: reason.trim() } })
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['incidents'] })
      onClose()
    },
  })
  const isReady = reason.trim() !== ''
  return (
    <Dialog
      title={t`Change the severity`}
      description={t`It is ${incident.severity} now. One that rises calls people again at once.`}
      onClose={onClose}
    >
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !change.isPending) change.mutate()
        }}
      >
        <Choice
          label={t`Severity`}
          value={severity}
          options={severities.filter((one) => one !== incident.severity).map((one) => [one, one] as const)}
          onChange={(value) => setSeverity(severities.find((one) => one === value) ?? severity)}
        />
        <Field label={t`Reason`} value={reason} onChange={setReason} required />
        <DialogActions error={change.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || change.isPending}>{t`Change it`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

const snoozeMinutes = [15, 30, 60, 240, 1440] as const

function SnoozeDialog({ incident, onClose }: { incident: IncidentDetail; onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [minutes, setMinutes] = useState<number>(30)
  const snooze = useMutation({
    mutationFn: async () => {
      await api('snoozeIncident', { params: { id: incident.id }, body: { minutes } })
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['incidents'] })
      onClose()
    },
  })
  return (
    <Dialog
      title={t`Put the incident off`}
      description={t`Nobody is called for it meanwhile; then it calls again. A rising severity ends it at once.`}
      onClose={onClose}
    >
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (!snooze.isPending) snooze.mutate()
        }}
      >
        <Choice
          label={t`For`}
          value={String(minutes)}
          options={snoozeMinutes.map((one) => [String(one), formatWait(one * 60)] as const)}
          onChange={(value) => setMinutes(Number(value))}
        />
        <DialogActions error={snooze.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={snooze.isPending}>{t`Put it off`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

function Escalation({ calls, incident }: { calls: IncidentCalls; incident: IncidentDetail }): ReactNode {
  const { escalation, next } = calls
  const called = incident.events.filter(({ kind }) => kind === 'called')
  return (
    <>
      <Facts>
        {calls.acknowledgeBy && (
          <Fact name={t`To be acknowledged by`}>
            <time dateTime={calls.acknowledgeBy}>{formatDateTime(calls.acknowledgeBy)}</time>
          </Fact>
        )}
        {escalation?.acknowledgedUntil ? (
          <Fact name={t`Acknowledged until`}>
            <time dateTime={escalation.acknowledgedUntil}>{formatDateTime(escalation.acknowledgedUntil)}</time> ·{' '}
            {t`then it calls again`}
          </Fact>
        ) : escalation?.snoozedUntil ? (
          <Fact name={t`Put off until`}>
            <time dateTime={escalation.snoozedUntil}>{formatDateTime(escalation.snoozedUntil)}</time>
          </Fact>
        ) : (
          escalation && (
            <>
              <Fact name={t`Level reached`}>
                {escalation.level === 0 ? t`none yet` : escalation.level}
                {escalation.round > 1 && ` · ${t`round ${escalation.round}`}`}
              </Fact>
              <Fact name={t`Next call`}>
                {next ? `${next.title}, ` : ''}
                <time dateTime={escalation.nextAt}>{formatDateTime(escalation.nextAt)}</time>
              </Fact>
            </>
          )
        )}
        {!escalation && (
          <Fact name={t`State`}>
            {incident.state === 'open' ? t`The calls begin within seconds.` : t`Nobody is called for it any more.`}
          </Fact>
        )}
        {calls.playbook && (
          <Fact name={t`Playbook`}>
            <Link to={`/diagnosis?issue=${calls.playbook}&environment=${incident.environment}`}>{t`Diagnose`}</Link>{' '}
            <code className={plain.code}>./dam diagnose {calls.playbook}</code>
          </Fact>
        )}
      </Facts>
      {called.length > 0 && (
        <ol className={plain.entries}>
          {called.map((event) => (
            <li key={event.id}>
              <time dateTime={event.at}>{formatDateTime(event.at)}</time>
              <span>{event.message}</span>
            </li>
          ))}
        </ol>
      )}
    </>
  )
}

const deliveryWords = (state: string): { word: string; tone: Tone } =>
  ({
    sent: { word: t`Delivered`, tone: 'good' as const },
    waiting: { word: t`Waits`, tone: 'running' as const },
    sending: { word: t`Being sent`, tone: 'running' as const },
    dead: { word: t`Not taken`, tone: 'bad' as const },
    dropped: { word: t`Overtaken`, tone: 'neutral' as const },
  })[state] ?? { word: state, tone: 'neutral' }

function Deliveries({ deliveries }: { deliveries: IncidentCalls['deliveries'] }): ReactNode {
  if (deliveries.length === 0) return <p className={plain.note}>{t`No message was written for it.`}</p>
  return (
    <ul className={plain.entries}>
      {deliveries.map((delivery) => {
        const { word, tone } = deliveryWords(delivery.state)
        const isOnlyHere = delivery.outcome.startsWith('recorded here')
        return (
          <li key={delivery.id}>
            <Status tone={isOnlyHere ? 'neutral' : tone}>{isOnlyHere ? t`Recorded here only` : word}</Status>
            <div>
              <strong>{delivery.channel}</strong> · {delivery.title} ·{' '}
              <When at={delivery.sentAt ?? delivery.createdAt} />
              {delivery.outcome && <p className={plain.note}>{delivery.outcome}</p>}
            </div>
          </li>
        )
      })}
    </ul>
  )
}

const publicWords = (state: string): string =>
  ({
    investigating: t`Looking into it`,
    identified: t`Cause found`,
    watching: t`Fixed, watching`,
    resolved: t`Over`,
  })[state] ?? state

function PublicUpdates({ calls, incident }: { calls: IncidentCalls; incident: IncidentDetail }): ReactNode {
  const mayAct = useMay('operator')
  const [isWriting, setWriting] = useState(false)
  return (
    <Panel
      title={t`What the public knows`}
      description={t`On the status page, in its feed, and by e-mail to those who asked. Nothing else of this incident leaves the console.`}
      tools={
        mayAct && calls.isPublicEnvironment ? (
          <Button look="outline" onClick={() => setWriting(true)}>{t`Tell the public…`}</Button>
        ) : undefined
      }
    >
      {calls.publicUpdates.length === 0 ? (
        <p className={plain.note}>{t`Nothing yet.`}</p>
      ) : (
        <>
          <p>
            <strong>{calls.publicTitle}</strong>
          </p>
          <ol className={plain.entries}>
            {calls.publicUpdates.map((update) => (
              <li key={update.id}>
                <time dateTime={update.at}>{formatDateTime(update.at)}</time>
                <span>
                  <Status tone={update.state === 'resolved' ? 'good' : 'running'}>{publicWords(update.state)}</Status>{' '}
                  {update.text} · <bdi>{update.by}</bdi>
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
      {isWriting && <TellDialog calls={calls} incident={incident} onClose={() => setWriting(false)} />}
    </Panel>
  )
}

const states = ['investigating', 'identified', 'watching', 'resolved'] as const

function TellDialog({
  calls,
  incident,
  onClose,
}: {
  calls: IncidentCalls
  incident: IncidentDetail
  onClose: () => void
}): ReactNode {
  const client = useQueryClient()
  const [state, setState] = useState<(typeof states)[number]>(
    incident.state === 'resolved' ? 'resolved' : calls.publicUpdates.length === 0 ? 'investigating' : 'identified',
  )
  const [title, setTitle] = useState(calls.publicTitle ?? '')
  const [text, setText] = useState('')
  const tell = useMutation({
    mutationFn: async () => {
      const body = { state, text: text.trim(), ...(title.trim() ? { title: title.trim() } : {}) }
      await api('updateIncidentPublicly', { params: { id: incident.id }, body })
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['incidents'] })
      onClose()
    },
  })
  const isReady = title.trim().length >= 3 && text.trim().length >= 3
  return (
    <Dialog
      title={t`Tell the public`}
      description={t`Everybody can read it at once. Write what users notice and what they can do; no names, no internals.`}
      size="medium"
      onClose={onClose}
    >
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !tell.isPending) tell.mutate()
        }}
      >
        <Field
          label={t`Name of the incident`}
          hint={t`As users would call it: “Uploads fail”.`}
          value={title}
          onChange={setTitle}
          maxLength={120}
          required
        />
        <Choice
          label={t`State`}
          value={state}
          options={states.map((one) => [one, publicWords(one)] as const)}
          onChange={(value) => setState(states.find((one) => one === value) ?? state)}
        />
        <TextArea label={t`Text`} value={text} rows={4} onChange={setText} />
        <DialogActions error={tell.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || tell.isPending}>{t`Publish`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
