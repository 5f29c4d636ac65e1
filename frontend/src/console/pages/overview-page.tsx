import type { EnvironmentOverview, IncidentSummary, KeyMetric, OnCallView } from '@dam/contract/ops-types'
import { plural, t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { formatDateTime, formatDuration } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { buttonClass } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { read } from '../lib/api.ts'
import { useNow } from '../lib/use-now.ts'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { Fact, Facts } from '../parts/facts.tsx'
import { KeyMetrics } from '../parts/key-metrics.tsx'
import { Status } from '../parts/status.tsx'
import { When } from '../parts/when.tsx'
import { deploymentWords } from '../parts/words.ts'
import { judgeEnvironment, type NextStep } from './environment-state.ts'
import styles from './overview-page.module.css'

const refreshMs = 5_000
const metricsMs = 30_000

export function OverviewPage(): ReactNode {
  const overview = useQuery({ ...read('overview', 'getOverview', {}), refetchInterval: refreshMs })
  const metrics = useQuery({ ...read('key-metrics', 'getKeyMetrics', {}), refetchInterval: metricsMs })
  const onCall = useQuery({ ...read('oncall', 'getOnCall', { query: { weeks: 1 } }), refetchInterval: metricsMs })
  return (
    <ConsolePage title={t`Overview`} tools={onCall.data && <OnCallNow view={onCall.data} />}>
      <Answer query={overview}>
        {({ environments }) => (
          <div className={styles.environments}>
            {environments.map((environment) => (
              <EnvironmentCard
                key={environment.name}
                environment={environment}
                metrics={metrics.data?.environments.find((one) => one.environment === environment.name)?.metrics ?? []}
              />
            ))}
          </div>
        )}
      </Answer>
    </ConsolePage>
  )
}

function OnCallNow({ view }: { view: OnCallView }): ReactNode {
  const { primary, secondary } = view.now
  const nameOf = (id: string): string => view.people.find((person) => person.id === id)?.name ?? id
  return (
    <Link to="/oncall" className={styles.onCall}>
      <Icon name="bell" size={16} />
      {primary === null ? t`Nobody is on call` : t`On call: ${nameOf(primary)}`}
      {secondary !== null && ` · ${t`then ${nameOf(secondary)}`}`}
    </Link>
  )
}

/** The worst incident: its cause, who was called, what comes next by itself, and the button for what a person does. */
function TopIncident({ incident }: { incident: IncidentSummary }): ReactNode {
  const calls = useQuery({
    ...read('incidents', 'getIncidentCalls', { params: { id: incident.id } }),
    refetchInterval: refreshMs,
  }).data
  const climb = calls?.escalation
  return (
    <div className={styles.top}>
      <p>
        <Status tone="bad">{incident.severity}</Status> <strong>{incident.title}</strong>
      </p>
      {incident.cause && <p>{incident.cause}</p>}
      {climb?.acknowledgedUntil ? (
        <p className={styles.calls}>
          {t`${climb.acknowledgedBy ?? '?'} works on it; it calls again at ${formatDateTime(climb.acknowledgedUntil)}.`}
        </p>
      ) : (
        climb && (
          <p className={styles.calls}>
            {climb.level > 0 && `${t`Level ${climb.level} is called.`} `}
            {calls.next && t`Next: ${calls.next.title}, ${formatDateTime(climb.nextAt)}.`}
          </p>
        )
      )}
      <p className={styles.actions}>
        <Link to={`/incidents/${incident.id}`} className={buttonClass('primary')}>
          {incident.state === 'open' ? t`Acknowledge and look` : t`Go on with it`}
        </Link>
        {calls?.playbook && (
          <span>
            {t`The cause:`} <code>./dam diagnose {calls.playbook}</code>
          </span>
        )}
      </p>
    </div>
  )
}

function EnvironmentCard({
  environment,
  metrics,
}: {
  environment: EnvironmentOverview
  metrics: readonly KeyMetric[]
}): ReactNode {
  const now = useNow(15_000)
  const state = judgeEnvironment(environment, now)
  const { health, incidents } = environment
  const severe = incidents.find((incident) => incident.severity <= 'P1')
  const others = incidents.filter((incident) => incident !== severe)
  return (
    <section className={styles.card} aria-labelledby={`environment-${environment.name}`} data-tone={state.tone}>
      <header className={styles.head}>
        <Icon name={state.tone === 'good' ? 'check' : state.tone === 'running' ? 'clock' : 'warning'} size={24} />
        <div>
          <h2 id={`environment-${environment.name}`}>{environment.name}</h2>
          <p className={styles.sentence} role="status">
            {state.sentence}
          </p>
        </div>
        <a className={styles.address} href={environment.publicUrl} rel="noreferrer" target="_blank">
          {environment.publicUrl.replace(/^https?:\/\//, '')}
          <Icon name="external" size={14} />
        </a>
      </header>
      {severe ? <TopIncident incident={severe} /> : state.next.map((next) => <Next key={next.text} next={next} />)}
      {others.length > 0 && (
        <ul className={styles.incidents}>
          {others.slice(0, 4).map((incident) => (
            <li key={incident.id}>
              <Link to={`/incidents/${incident.id}`}>
                <Status tone={incident.severity <= 'P1' ? 'bad' : 'warning'}>{incident.severity}</Status>
                <span>{incident.title}</span>
                <When at={incident.openedAt} />
              </Link>
            </li>
          ))}
        </ul>
      )}
      {metrics.length > 0 && (environment.isLocal || environment.active !== null) && (
        <div className={styles.metrics}>
          <KeyMetrics metrics={metrics} />
          <Link to={`/signals?environment=${environment.name}`}>{t`All signals`}</Link>
        </div>
      )}
      <Facts>
        <Fact name={t`Release`}>
          <ActiveRelease environment={environment} />
        </Fact>
        <Fact name={t`Health now`}>
          {health ? (
            <>
              <Status tone={health.state === 'healthy' ? 'good' : health.state === 'degraded' ? 'warning' : 'bad'}>
                {healthWords()[health.state]}
              </Status>{' '}
              {health.message || t`answered in ${formatDuration(health.tookMs)}`}
            </>
          ) : (
            t`not asked yet`
          )}
        </Fact>
        {!environment.isLocal && (
          <Fact name={t`Deployment`}>
            <CurrentDeployment environment={environment} />
          </Fact>
        )}
        <Fact name={t`Incidents`}>
          {incidents.length === 0 ? t`none open` : plural(incidents.length, { one: '# open', other: '# open' })}
        </Fact>
        <Fact name={t`Last backup`}>
          {environment.lastBackupAt ? <When at={environment.lastBackupAt} /> : t`none yet`}
        </Fact>
        <Fact name={t`Last restore drill`}>
          {environment.lastDrill ? (
            <>
              <When at={environment.lastDrill.at} /> · {environment.lastDrill.passed ? t`passed` : t`failed`}
            </>
          ) : (
            t`none yet`
          )}
        </Fact>
      </Facts>
    </section>
  )
}

function ActiveRelease({ environment: { active, control } }: { environment: EnvironmentOverview }): ReactNode {
  if (!active) return t`none yet`
  return (
    <>
      {active.digest ? <Link to={`/releases/${active.digest}`}>{active.tag}</Link> : active.tag}
      {active.since && (
        <>
          {' '}
          {t`since`} <When at={active.since} />
        </>
      )}
      {control && ` · ${t`${control.sharePercent} % of sessions stay on ${control.tag}`}`}
    </>
  )
}

function CurrentDeployment({
  environment: { deployment, lastDeployment },
}: {
  environment: EnvironmentOverview
}): ReactNode {
  const shown = deployment ?? lastDeployment
  if (!shown) return t`none yet`
  return (
    <>
      {!deployment && `${t`none runs; last`} `}
      <Link to={`/deployments/${shown.id}`}>
        {shown.tag} · {deploymentWords(shown.state).word}
      </Link>
    </>
  )
}

const healthWords = () => ({
  healthy: t`Healthy`,
  degraded: t`Works, with limits`,
  unhealthy: t`Not healthy`,
  unreachable: t`Not reachable`,
})

function Next({ next }: { next: NextStep }): ReactNode {
  return (
    <p className={styles.next}>
      <Icon name="chevron-right" size={16} />
      <span>
        {next.to ? <Link to={next.to}>{next.text}</Link> : next.text}
        {next.command && (
          <>
            {' '}
            <code>{next.command}</code>
          </>
        )}
      </span>
    </p>
  )
}
