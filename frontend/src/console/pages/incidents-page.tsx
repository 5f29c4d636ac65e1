import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Link, navigate } from '../../lib/navigation.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import dialog from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { Notice } from '../../ui/notice.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useSearch } from '../lib/use-search.ts'
import { Choice } from '../parts/choice.tsx'
import { ChooseEnvironment, useEnvironments } from '../parts/choose-environment.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import rows from '../parts/rows.module.css'
import { Status } from '../parts/status.tsx'
import { When } from '../parts/when.tsx'
import { incidentWords } from '../parts/words.ts'

export default function IncidentsPage(): ReactNode {
  const [environment] = useSearch('environment')
  const [state, setState] = useSearch('state')
  const [isCalling, setCalling] = useState(false)
  const mayCall = useMay('operator')
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
          {mayCall && <Button look="primary" icon="bell" onClick={() => setCalling(true)}>{t`Call somebody…`}</Button>}
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
      {isCalling && <CallDialog environment={environment} onClose={() => setCalling(false)} />}
    </ConsolePage>
  )
}

const severities = ['P0', 'P1', 'P2', 'P3'] as const

/** An incident that a person has noticed: it calls people like one that an alert opened. */
function CallDialog({ environment, onClose }: { environment: string; onClose: () => void }): ReactNode {
  const environments = useEnvironments() ?? []
  const [where, setWhere] = useState(
    environment || (environments.find(({ name }) => name === 'production') ?? environments[0])?.name || '',
  )
  const [severity, setSeverity] = useState<(typeof severities)[number]>('P1')
  const [title, setTitle] = useState('')
  const client = useQueryClient()
  const call = useMutation({
    mutationFn: async () =>
      (await api('raiseIncident', { body: { environment: where, severity, title: title.trim() } })).data.id,
    onSuccess: async (id) => {
      await client.invalidateQueries({ queryKey: ['incidents'] })
      navigate(`/incidents/${id}`)
    },
  })
  const isReady = title.trim().length >= 3 && where !== ''
  return (
    <Dialog
      title={t`Call somebody`}
      description={t`Opens an incident. Whoever is on call is told first, then the next levels, until somebody acknowledges.`}
      onClose={onClose}
    >
      <form
        className={dialog.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !call.isPending) call.mutate()
        }}
      >
        <Field label={t`What is wrong`} value={title} onChange={setTitle} maxLength={200} required autoFocus />
        <Choice
          label={t`Severity`}
          value={severity}
          options={severities.map((one) => [one, one] as const)}
          onChange={(value) => setSeverity(severities.find((one) => one === value) ?? severity)}
        />
        {environments.length > 1 && (
          <Choice
            label={t`Environment`}
            value={where}
            options={environments.map(({ name }) => [name, name] as const)}
            onChange={setWhere}
          />
        )}
        <DialogActions error={call.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || call.isPending}>{t`Call`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
