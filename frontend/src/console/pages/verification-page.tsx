import type { ChecklistLine } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatDateTime } from '../../lib/format.ts'
import { showToast } from '../../lib/toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import dialog from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useSearch } from '../lib/use-search.ts'
import { ChooseEnvironment, useEnvironments } from '../parts/choose-environment.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import gates from '../parts/gate-list.module.css'
import { Status, type Tone } from '../parts/status.tsx'

const lineWords = (state: ChecklistLine['state']): { word: string; tone: Tone } =>
  ({
    pass: { word: t`Passed`, tone: 'good' as const },
    fail: { word: t`Failed`, tone: 'bad' as const },
    unknown: { word: t`Not known`, tone: 'neutral' as const },
    attested: { word: t`Vouched for`, tone: 'good' as const },
    'attestation-missing': { word: t`Somebody has to say so`, tone: 'warning' as const },
  })[state]

/** The checklists after a deployment: what machines found, and where a person's word is wanted. */
export default function VerificationPage(): ReactNode {
  const environments = useEnvironments()
  const [chosen] = useSearch('environment')
  const environment = chosen || environments?.[0]?.name || ''
  const [withJourney, setWithJourney] = useState(false)
  const [line, setLine] = useState<ChecklistLine | null>(null)
  const mayAct = useMay('operator')
  const query = useQuery({
    ...read('gates', 'getVerification', {
      params: { environment },
      query: withJourney ? { journey: 'true' } : {},
    }),
    enabled: environment !== '',
  })
  return (
    <ConsolePage
      title={t`Verification`}
      lead={t`The checklists of the runbook for what serves now. Machines look where they can; the rest is somebody's word, with an end to it.`}
      tools={
        <>
          <ChooseEnvironment all={false} />
          <Button
            look="outline"
            icon="retry"
            disabled={query.isFetching || environment === ''}
            onClick={() => (withJourney ? void query.refetch() : setWithJourney(true))}
          >
            {query.isFetching ? t`Looking…` : t`Walk the smoke journey`}
          </Button>
        </>
      }
    >
      <Answer query={query}>
        {(verification) => (
          <>
            {verification.lists.map((list) => (
              <Panel
                key={list.name}
                title={list.name === 'staging' ? t`Staging verification` : t`Post-deployment verification`}
                description={t`Counted since ${formatDateTime(verification.since)}.`}
              >
                <ol className={gates.gates}>
                  {list.lines.map((one) => {
                    const { word, tone } = lineWords(one.state)
                    const isOpen = one.state === 'unknown' || one.state === 'attestation-missing'
                    return (
                      <li key={one.item}>
                        <div className={gates.head}>
                          <strong>{one.title}</strong>
                          <Status tone={tone}>{word}</Status>
                        </div>
                        {one.state === 'attestation-missing' ? (
                          <code className={gates.remedy}>{one.evidence}</code>
                        ) : (
                          <p className={gates.evidence}>
                            {one.item === 'smoke' && one.state === 'unknown' && !withJourney
                              ? t`Not walked yet: it takes a few seconds.`
                              : one.evidence}
                          </p>
                        )}
                        {mayAct && isOpen && (
                          <Button look="outline" className={gates.act ?? ''} onClick={() => setLine(one)}>
                            {t`Vouch for “${one.title}”…`}
                          </Button>
                        )}
                      </li>
                    )
                  })}
                </ol>
              </Panel>
            ))}
          </>
        )}
      </Answer>
      {line && <AttestDialog environment={environment} line={line} onClose={() => setLine(null)} />}
    </ConsolePage>
  )
}

const usualHours = 168

function AttestDialog({
  environment,
  line,
  onClose,
}: {
  environment: string
  line: ChecklistLine
  onClose: () => void
}): ReactNode {
  const client = useQueryClient()
  const [note, setNote] = useState('')
  const [hours, setHours] = useState(String(usualHours))
  const attest = useMutation({
    mutationFn: async () => {
      await api('attest', {
        params: { environment },
        body: { item: line.item, note: note.trim(), hours: Number(hours) },
      })
    },
    onSuccess: () => {
      // Evaluating takes seconds: nobody waits for it in the dialog.
      void client.invalidateQueries({ queryKey: ['gates'] })
      showToast({ tone: 'success', message: t`Your word is on record` })
      onClose()
    },
  })
  const isReady = note.trim() !== '' && Number(hours) >= 1
  return (
    <Dialog
      title={t`Vouch for “${line.title}”`}
      description={t`For what serves in ${environment} now: after the next deployment somebody has to look again. A machine's failure stands whatever is said here.`}
      onClose={onClose}
    >
      <form
        className={dialog.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !attest.isPending) attest.mutate()
        }}
      >
        <Field label={t`What you saw`} value={note} onChange={setNote} required autoFocus />
        <Field label={t`Good for hours`} type="number" min={1} max={720} value={hours} onChange={setHours} required />
        <DialogActions error={attest.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || attest.isPending}>{t`Vouch`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
