import type { SignalMark, SignalsView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { lazy, Suspense, type ReactNode } from 'react'
import { formatDateTime } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { Loading } from '../../ui/loading.tsx'
import { Panel } from '../../ui/panel.tsx'
import { read } from '../lib/api.ts'
import { useSearch } from '../lib/use-search.ts'
import { Choice } from '../parts/choice.tsx'
import { ChooseEnvironment, useEnvironments } from '../parts/choose-environment.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import plain from '../parts/plain-list.module.css'
import { Status } from '../parts/status.tsx'
import styles from './signals-page.module.css'

const SignalPlot = lazy(() => import('../parts/signal-plot.tsx'))

const ranges = ['1h', '6h', '24h', '7d', '35d'] as const
type Range = (typeof ranges)[number]
const isRange = (text: string): text is Range => ranges.some((range) => range === text)
const refreshMs: Record<Range, number> = { '1h': 10_000, '6h': 30_000, '24h': 60_000, '7d': 300_000, '35d': 300_000 }

export default function SignalsPage(): ReactNode {
  const [chosen] = useSearch('environment')
  const [wanted, setRange] = useSearch('range')
  const range: Range = isRange(wanted) ? wanted : '1h'
  const first = useEnvironments()?.[0]?.name
  const environment = chosen || first
  const signals = useQuery({
    ...read('signals', 'getSignals', { params: { environment: environment ?? '' }, query: { range } }),
    enabled: environment !== undefined,
    refetchInterval: refreshMs[range],
    placeholderData: keepPreviousData,
  })
  return (
    <ConsolePage
      title={t`Signals`}
      lead={t`What was measured, with the limits of alerts, deployments and maintenance.`}
      tools={
        <>
          <Choice
            label={t`Time`}
            value={range}
            options={[
              ['1h', t`1 hour`],
              ['6h', t`6 hours`],
              ['24h', t`24 hours`],
              ['7d', t`7 days`],
              ['35d', t`35 days`],
            ]}
            onChange={setRange}
          />
          <ChooseEnvironment all={false} />
        </>
      }
    >
      <Answer query={signals}>{(view) => <Groups view={view} />}</Answer>
    </ConsolePage>
  )
}

function Groups({ view }: { view: SignalsView }): ReactNode {
  const titles = {
    application: t`Application`,
    infrastructure: t`Infrastructure`,
    business: t`Business`,
  }
  return (
    <>
      {(['application', 'infrastructure', 'business'] as const).map((group) => (
        <section key={group} className={styles.group} aria-label={titles[group]}>
          <h2>{titles[group]}</h2>
          <div className={styles.plots}>
            <Suspense fallback={<Loading />}>
              {view.series
                .filter((series) => series.group === group)
                .map((series) => (
                  <SignalPlot key={series.signal} view={view} series={series} />
                ))}
            </Suspense>
          </div>
        </section>
      ))}
      <Panel title={t`What happened meanwhile`}>
        {view.marks.length === 0 ? (
          <p className={plain.note}>{t`No deployment and no maintenance in this time.`}</p>
        ) : (
          <ol className={plain.list}>
            {view.marks.toReversed().map((mark) => (
              <li key={`${mark.kind} ${mark.at}`}>
                <time dateTime={mark.at}>{formatDateTime(mark.at)}</time>
                <Mark mark={mark} />
              </li>
            ))}
          </ol>
        )}
      </Panel>
    </>
  )
}

function Mark({ mark }: { mark: SignalMark }): ReactNode {
  if (mark.kind === 'maintenance')
    return (
      <span>
        <Status tone="warning">{t`Maintenance`}</Status> {mark.label}
      </span>
    )
  return (
    <Link to={`/deployments/${mark.deploymentId}`}>
      {mark.kind === 'rollback' ? t`▼ ${mark.label} was taken back` : t`▲ ${mark.label} took the traffic`}
    </Link>
  )
}
