import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from '../../lib/navigation.ts'
import { Notice } from '../../ui/notice.tsx'
import { read } from '../lib/api.ts'
import { useSearch } from '../lib/use-search.ts'
import { Choice } from '../parts/choice.tsx'
import { ChooseEnvironment } from '../parts/choose-environment.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import rows from '../parts/rows.module.css'
import { Status } from '../parts/status.tsx'
import { When } from '../parts/when.tsx'
import { incidentWords } from '../parts/words.ts'

export default function IncidentsPage(): ReactNode {
  const [environment] = useSearch('environment')
  const [state, setState] = useSearch('state')
  const wanted: { state?: 'resolved' | 'unresolved' } = state === 'resolved' || state === 'unresolved' ? { state } : {}
  const incidents = useQuery(
    read('incidents', 'listIncidents', { query: { ...wanted, ...(environment ? { environment } : {}) } }),
  )
  return (
    <ConsolePage
      title={t`Incidents`}
      tools={
        <>
          <Choice
            label={t`Show`}
            value={state}
            options={[
              ['', t`all`],
              ['unresolved', t`not resolved`],
              ['resolved', t`resolved`],
            ]}
            onChange={setState}
          />
          <ChooseEnvironment all />
        </>
      }
    >
      <Answer query={incidents}>
        {({ results }) =>
          results.length === 0 ? (
            <Notice
              icon="check"
              level={2}
              title={t`No incidents`}
              message={t`When something breaks, it is here with all that was known at that moment.`}
            />
          ) : (
            <ul className={rows.rows}>
              {results.map((incident) => {
                const { word, tone } = incidentWords(incident.state)
                return (
                  <li key={incident.id}>
                    <Link to={`/incidents/${incident.id}`} className={rows.row}>
                      <span className={rows.main}>
                        <Status tone={incident.severity <= 'P1' ? 'bad' : 'warning'}>{incident.severity}</Status>
                        <strong>{incident.title}</strong>
                        <Status tone={tone}>{word}</Status>
                      </span>
                      <span className={rows.note}>
                        {incident.environment}
                        {incident.cause && ` · ${incident.cause}`}
                      </span>
                      <span className={rows.side}>
                        <When at={incident.openedAt} />
                      </span>
                    </Link>
                  </li>
                )
              })}
            </ul>
          )
        }
      </Answer>
    </ConsolePage>
  )
}
