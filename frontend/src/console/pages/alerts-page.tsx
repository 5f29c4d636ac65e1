import type { AlertsView, AlertView, SilenceView } from '@dam/contract/ops-types'
import { plural, t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatDateTime, formatWait } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { Button } from '../../ui/button.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useSearch } from '../lib/use-search.ts'
import { ChooseEnvironment } from '../parts/choose-environment.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import plain from '../parts/plain-list.module.css'
import rows from '../parts/rows.module.css'
import { boundWords, formatSignal, signalTitle } from '../parts/signal-words.ts'
import { SilenceDialog } from '../parts/silence-dialog.tsx'
import { Status, type Tone } from '../parts/status.tsx'
import { When } from '../parts/when.tsx'
import styles from './alerts-page.module.css'

const refreshMs = 10_000

export default function AlertsPage(): ReactNode {
  const [environment] = useSearch('environment')
  const alerts = useQuery({
    ...read('alerts', 'listAlerts', { query: environment ? { environment } : {} }),
    refetchInterval: refreshMs,
  })
  return (
    <ConsolePage
      title={t`Alerts`}
      lead={t`Every rule of the policy, what it measures now, and what it has done.`}
      tools={<ChooseEnvironment all />}
    >
      <Answer query={alerts}>{(view) => <Alerts view={view} />}</Answer>
    </ConsolePage>
  )
}

const loudness: Record<AlertView['phase'], number> = {
  firing: 0,
  'keep-firing': 1,
  pending: 2,
  unknown: 4,
  inactive: 4,
}

function Alerts({ view }: { view: AlertsView }): ReactNode {
  const [silencing, setSilencing] = useState<AlertView | null>(null)
  const mayAct = useMay('operator')
  const loud = view.alerts
    .filter(({ phase }) => loudness[phase] < 4)
    .toSorted((a, b) => loudness[a.phase] - loudness[b.phase] || (a.severity < b.severity ? -1 : 1))
  const quiet = view.alerts.filter(({ phase }) => loudness[phase] === 4)
  const several = new Set(view.alerts.map(({ environment }) => environment)).size > 1
  const list = (alerts: readonly AlertView[]): ReactNode => (
    <ul className={rows.rows}>
      {alerts.map((alert) => (
        <Alert
          key={`${alert.environment} ${alert.rule}`}
          alert={alert}
          showsEnvironment={several}
          onSilence={mayAct ? () => setSilencing(alert) : null}
        />
      ))}
    </ul>
  )
  return (
    <>
      <section className={styles.part} aria-labelledby="loud">
        <h2 id="loud">{t`Now`}</h2>
        {loud.length === 0 ? (
          <p className={styles.calm}>
            <Status tone="good">{t`Quiet`}</Status> {t`No alert fires and none is about to.`}
          </p>
        ) : (
          list(loud)
        )}
      </section>
      {view.silences.length > 0 && <Silences silences={view.silences} mayAct={mayAct} />}
      <section className={styles.part} aria-labelledby="quiet">
        <h2 id="quiet">{t`At rest`}</h2>
        {list(quiet)}
      </section>
      <Panel title={t`History`}>
        {view.changes.length === 0 ? (
          <p className={plain.note}>{t`No alert has changed yet.`}</p>
        ) : (
          <ol className={plain.entries}>
            {view.changes.map((change) => {
              const alert = view.alerts.find(
                ({ rule, environment }) => rule === change.rule && environment === change.environment,
              )
              return (
                <li key={change.id}>
                  <time dateTime={change.at}>{formatDateTime(change.at)}</time>
                  <span>
                    <Phase phase={change.phase as AlertView['phase']} /> {alert?.title ?? change.rule}
                    {several && ` · ${change.environment}`}
                    {alert && change.value !== null && ` · ${formatSignal(alert.unit, change.value)}`}
                  </span>
                </li>
              )
            })}
          </ol>
        )}
      </Panel>
      {silencing && <SilenceDialog alert={silencing} onClose={() => setSilencing(null)} />}
    </>
  )
}

const phaseWords = (phase: AlertView['phase']): { word: string; tone: Tone } =>
  ({
    firing: { word: t`Fires`, tone: 'bad' as const },
    'keep-firing': { word: t`Over, not yet believed`, tone: 'warning' as const },
    pending: { word: t`About to fire`, tone: 'warning' as const },
    inactive: { word: t`At rest`, tone: 'good' as const },
    unknown: { word: t`Not looked at yet`, tone: 'neutral' as const },
  })[phase] ?? { word: phase, tone: 'neutral' as const }

/** A rule at rest is not red, however severe it would be. */
const severityTone = ({ phase, severity }: AlertView): Tone =>
  loudness[phase] === 4 ? 'neutral' : severity <= 'P1' ? 'bad' : 'warning'

function Phase({ phase }: { phase: AlertView['phase'] }): ReactNode {
  const { word, tone } = phaseWords(phase)
  return <Status tone={tone}>{word}</Status>
}

function Alert({
  alert,
  showsEnvironment,
  onSilence,
}: {
  alert: AlertView
  showsEnvironment: boolean
  onSilence: (() => void) | null
}): ReactNode {
  const say = (value: number | null): string => formatSignal(alert.unit, value)
  return (
    <li className={rows.row} data-phase={alert.phase}>
      <span className={rows.main}>
        <Status tone={severityTone(alert)} icon={loudness[alert.phase] === 4 ? 'bell' : undefined}>
          {alert.severity}
        </Status>
        <strong>{alert.title}</strong>
        <Phase phase={alert.phase} />
        {alert.silence && <Status tone="neutral" icon="pause">{t`Silenced`}</Status>}
      </span>
      <span className={rows.note}>
        {showsEnvironment && `${alert.environment} · `}
        {signalTitle(alert.signal, alert.signalTitle)} {say(alert.value)} ·{' '}
        {alert.unit === 'flag'
          ? t`looked at over ${formatWait(alert.windowMs / 1_000)}`
          : t`limit ${boundWords(alert.is, say(alert.threshold))} over ${formatWait(alert.windowMs / 1_000)}`}
        {alert.forMs > 0 && ` ${t`for ${formatWait(alert.forMs / 1_000)}`}`}
        {alert.unit !== 'flag' && ` · ${t`over at ${say(alert.clear)}`}`}
      </span>
      <span className={styles.more}>
        {alert.inhibitedNowBy && <span>{t`explained by ${alert.inhibitedNowBy}, so nobody is called for it`}</span>}
        {!alert.inhibitedNowBy && alert.inhibitedBy.length > 0 && (
          <span>{t`says nothing while ${alert.inhibitedBy.join(', ')} fires`}</span>
        )}
        {alert.inhibits.length > 0 && <span>{t`explains ${alert.inhibits.join(', ')}`}</span>}
        <span>
          {t`playbook:`} <code>./dam diagnose {alert.playbook}</code>
        </span>
      </span>
      <span className={rows.side}>
        {alert.since && alert.phase !== 'inactive' && <When at={alert.firingSince ?? alert.since} />}
        {alert.incidentId !== null && (
          <Link to={`/incidents/${alert.incidentId}`}>{t`Incident ${alert.incidentId}`}</Link>
        )}
        {onSilence && !alert.silence && (
          <Button look="outline" icon="pause" onClick={onSilence} aria-label={t`Silence ${alert.title}`}>
            {t`Silence`}
          </Button>
        )}
      </span>
    </li>
  )
}

function Silences({ silences, mayAct }: { silences: readonly SilenceView[]; mayAct: boolean }): ReactNode {
  const client = useQueryClient()
  const end = useMutation({
    mutationFn: async (id: number) => {
      await api('endSilence', { params: { id } })
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['alerts'] }),
  })
  return (
    <Panel
      title={t`Silences`}
      description={plural(silences.length, {
        one: 'One rule tells nobody for a while. It is still measured.',
        other: '# rules tell nobody for a while. They are still measured.',
      })}
    >
      <ul className={plain.list}>
        {silences.map((silence) => (
          <li key={silence.id}>
            <strong>{silence.rule === '*' ? t`every rule` : silence.rule}</strong>
            <span>
              {silence.environment === '*' ? t`every environment` : silence.environment} ·{' '}
              {t`until ${formatDateTime(silence.until)}`} · <bdi>{silence.by}</bdi>: {silence.reason}
            </span>
            {mayAct && (
              <Button
                look="outline"
                disabled={end.isPending}
                aria-label={t`End it now: the silence of ${silence.rule}`}
                onClick={() => end.mutate(silence.id)}
              >
                {t`End it now`}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <p role="alert">{end.error?.message}</p>
    </Panel>
  )
}
