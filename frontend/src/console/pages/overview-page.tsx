import type { EnvironmentOverview } from '@dam/contract/ops-types'
import { plural, t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { formatDuration } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { Icon } from '../../ui/icon.tsx'
import { read } from '../lib/api.ts'
import { useNow } from '../lib/use-now.ts'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { Fact, Facts } from '../parts/facts.tsx'
import { Status } from '../parts/status.tsx'
import { When } from '../parts/when.tsx'
import { deploymentWords } from '../parts/words.ts'
import { judgeEnvironment, type NextStep } from './environment-state.ts'
import styles from './overview-page.module.css'

const refreshMs = 5_000

export function OverviewPage(): ReactNode {
  const overview = useQuery({ ...read('overview', 'getOverview', {}), refetchInterval: refreshMs })
  return (
    <ConsolePage title={t`Overview`}>
      <Answer query={overview}>
        {({ environments }) => (
          <div className={styles.environments}>
            {environments.map((environment) => (
              <EnvironmentCard key={environment.name} environment={environment} />
            ))}
          </div>
        )}
      </Answer>
    </ConsolePage>
  )
}

function EnvironmentCard({ environment }: { environment: EnvironmentOverview }): ReactNode {
  const now = useNow(15_000)
  const state = judgeEnvironment(environment, now)
  const { health, incidents } = environment
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
      {state.next.map((next) => (
        <Next key={next.text} next={next} />
      ))}
      {incidents.length > 0 && (
        <ul className={styles.incidents}>
          {incidents.slice(0, 4).map((incident) => (
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
