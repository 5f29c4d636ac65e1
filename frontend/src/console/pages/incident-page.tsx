import type { IncidentDetail } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatDateTime } from '../../lib/format.ts'
import { Link } from '../../lib/navigation.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { Fact, Facts } from '../parts/facts.tsx'
import { IncidentCallsPanels } from '../parts/incident-calls.tsx'
import plain from '../parts/plain-list.module.css'
import { Status } from '../parts/status.tsx'
import { When } from '../parts/when.tsx'
import { incidentWords } from '../parts/words.ts'
import type { PageProps } from '../routes.ts'
import styles from './deployment-page.module.css'

export default function IncidentPage({ params }: PageProps): ReactNode {
  const query = useQuery(read('incidents', 'getIncident', { params: { id: Number(params['id']) } }))
  return (
    <ConsolePage title={query.data?.title ?? t`Incident`} up={{ to: '/incidents', label: t`Incidents` }}>
      <Answer query={query}>{(incident) => <Incident incident={incident} />}</Answer>
    </ConsolePage>
  )
}

function Incident({ incident }: { incident: IncidentDetail }): ReactNode {
  const { word, tone } = incidentWords(incident.state)
  const mayAct = useMay('operator')
  return (
    <>
      <Panel title={t`State`} tools={<Status tone={tone}>{word}</Status>}>
        <Facts>
          <Fact name={t`Severity`}>
            <Status tone={incident.severity <= 'P1' ? 'bad' : 'warning'}>{incident.severity}</Status>
          </Fact>
          <Fact name={t`Environment`}>{incident.environment}</Fact>
          {incident.cause && <Fact name={t`Cause`}>{incident.cause}</Fact>}
          <Fact name={t`Opened`}>
            {incident.openedBy} · <When at={incident.openedAt} />
          </Fact>
          {incident.acknowledgedBy && incident.acknowledgedAt && (
            <Fact name={t`Acknowledged`}>
              {incident.acknowledgedBy} · <When at={incident.acknowledgedAt} />
            </Fact>
          )}
          {incident.deploymentId !== null && (
            <Fact name={t`Deployment`}>
              <Link to={`/deployments/${incident.deploymentId}`}>{t`number ${incident.deploymentId}`}</Link>
            </Fact>
          )}
        </Facts>
        {mayAct && incident.state !== 'resolved' && <Work incident={incident} />}
      </Panel>
      <IncidentCallsPanels incident={incident} />
      <Panel title={t`Time line`}>
        <ol className={plain.entries}>
          {incident.events.map((event) => (
            <li key={event.id}>
              <time dateTime={event.at}>{formatDateTime(event.at)}</time>
              <span>
                <bdi>{event.by}</bdi>: {event.message}
              </span>
            </li>
          ))}
        </ol>
      </Panel>
      {Object.keys(incident.evidence).length > 0 && (
        <Panel title={t`Evidence`} description={t`As it was when the incident opened.`}>
          {Object.entries(incident.evidence).map(([name, value]) => (
            <details key={name} open={Object.keys(incident.evidence).length < 4}>
              <summary>{name}</summary>
              <pre className={plain.output} tabIndex={0} aria-label={name}>
                {typeof value === 'string' ? value : JSON.stringify(value, null, 2)}
              </pre>
            </details>
          ))}
        </Panel>
      )}
    </>
  )
}

function Work({ incident: { id, state } }: { incident: IncidentDetail }): ReactNode {
  const client = useQueryClient()
  const [message, setMessage] = useState('')
  const work = useMutation({
    mutationFn: async (deed: 'acknowledgeIncident' | 'noteIncident' | 'resolveIncident') => {
      await api(deed, { params: { id }, body: { message: message.trim() } })
    },
    onSuccess: () => {
      setMessage('')
      return client.invalidateQueries({ queryKey: ['incidents'] })
    },
  })
  const hasText = message.trim() !== ''
  return (
    <div className={styles.decision}>
      <Field
        label={t`Note`}
        hint={t`What you see or did. It is needed to resolve.`}
        value={message}
        onChange={setMessage}
      />
      <div className={styles.buttons}>
        {state === 'open' && (
          <Button look="primary" disabled={work.isPending} onClick={() => work.mutate('acknowledgeIncident')}>
            {t`Acknowledge`}
          </Button>
        )}
        <Button look="outline" disabled={!hasText || work.isPending} onClick={() => work.mutate('noteIncident')}>
          {t`Add the note`}
        </Button>
        <Button
          look="outline"
          icon="check"
          disabled={!hasText || work.isPending}
          onClick={() => work.mutate('resolveIncident')}
        >
          {t`Resolve`}
        </Button>
      </div>
      <p role="alert">{work.error?.message}</p>
    </div>
  )
}
