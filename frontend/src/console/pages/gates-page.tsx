import type { GateView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { showToast } from '../../lib/toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import dialog from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { Notice } from '../../ui/notice.tsx'
import { Panel } from '../../ui/panel.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useSearch } from '../lib/use-search.ts'
import { Choice } from '../parts/choice.tsx'
import { ChooseEnvironment, useEnvironments } from '../parts/choose-environment.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { GateList } from '../parts/gate-list.tsx'

type Waiver = { environment: string; tag: string; gate: GateView }

export default function GatesPage(): ReactNode {
  const environments = useEnvironments()?.filter(({ isLocal }) => !isLocal)
  const releases = useQuery(read('releases', 'listReleases', {}))
  const [chosenEnvironment] = useSearch('environment')
  const [chosenTag, setTag] = useSearch('tag')
  const [waiver, setWaiver] = useState<Waiver | null>(null)
  const [reviewing, setReviewing] = useState<string | null>(null)
  const mayWaive = useMay('operator')
  const environment = chosenEnvironment || environments?.[0]?.name || ''
  const tag = chosenTag || releases.data?.results[0]?.tag || ''
  const digest = releases.data?.results.find((release) => release.tag === tag)?.digest
  const gates = useQuery({
    ...read('gates', 'listGates', { params: { environment, tag } }),
    enabled: environment !== '' && tag !== '',
  })
  return (
    <ConsolePage
      title={t`Gates`}
      lead={t`The pre-deployment checklist, line by line, for one artifact in one environment. Nothing passes without evidence.`}
      tools={
        <>
          <Choice
            label={t`Release`}
            value={tag}
            options={(releases.data?.results ?? []).map((release) => [release.tag, release.tag] as const)}
            onChange={setTag}
          />
          <ChooseEnvironment all={false} />
        </>
      }
    >
      {environment === '' || tag === '' ? (
        <Notice
          icon="shield"
          level={2}
          title={t`Nothing to check yet`}
          message={t`Gates belong to a release on a prepared host. Build one: ./dam release build`}
        />
      ) : (
        <Answer query={gates}>
          {(data) => (
            <Panel
              title={t`${tag} to ${environment}`}
              tools={
                <Button look="outline" icon="retry" disabled={gates.isFetching} onClick={() => void gates.refetch()}>
                  {t`Look again`}
                </Button>
              }
            >
              <GateList
                gates={data.gates}
                onWaive={mayWaive ? (gate) => setWaiver({ environment, tag, gate }) : null}
                onReview={mayWaive && digest !== undefined ? () => setReviewing(digest) : null}
              />
            </Panel>
          )}
        </Answer>
      )}
      {reviewing !== null && <ReviewDialog tag={tag} digest={reviewing} onClose={() => setReviewing(null)} />}
      {waiver && <WaiverDialog waiver={waiver} onClose={() => setWaiver(null)} />}
    </ConsolePage>
  )
}

function ReviewDialog({ tag, digest, onClose }: { tag: string; digest: string; onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [note, setNote] = useState('')
  const review = useMutation({
    mutationFn: async () => {
      const message = note.trim()
      await api('reviewRelease', { params: { digest }, body: message === '' ? {} : { message } })
    },
    onSuccess: () => {
      // Evaluating takes seconds: nobody waits for it in the dialog.
      void client.invalidateQueries({ queryKey: ['gates'] })
      showToast({ tone: 'success', message: t`Your review is on record` })
      onClose()
    },
  })
  return (
    <Dialog
      title={t`Attest a review of ${tag}`}
      description={t`You say that you have reviewed every commit of this very artifact, ${digest.slice(0, 12)}, and wrote none of them.`}
      onClose={onClose}
    >
      <form
        className={dialog.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (!review.isPending) review.mutate()
        }}
      >
        <Field label={t`Note`} value={note} onChange={setNote} autoFocus />
        <DialogActions error={review.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={review.isPending}>{t`I have reviewed it`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}

const usualHours = 4
const shortestReason = 20

function WaiverDialog({
  waiver: { environment, tag, gate },
  onClose,
}: {
  waiver: Waiver
  onClose: () => void
}): ReactNode {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const [requestedBy, setRequestedBy] = useState('')
  const [hours, setHours] = useState(String(usualHours))
  const waive = useMutation({
    mutationFn: async () => {
      const { data } = await api('waiveGate', {
        params: { environment, tag },
        body: { kind: gate.kind as 'tests', reason, requestedBy, hours: Number(hours) },
      })
      if (!data.ok) throw new Error(data.output || t`The waiver was refused.`)
    },
    onSuccess: () => {
      // Evaluating takes seconds: nobody waits for it in the dialog.
      void client.invalidateQueries({ queryKey: ['gates'] })
      showToast({ tone: 'success', message: t`Waived for ${hours} hours` })
      onClose()
    },
  })
  const isReady = reason.trim().length >= shortestReason && requestedBy.trim() !== '' && Number(hours) >= 1
  return (
    <Dialog
      title={t`Waive “${gate.title}”`}
      description={t`You let this line pass for ${tag} in ${environment}, as a second person: not who asks for it, and not who wrote the release.`}
      onClose={onClose}
    >
      <form
        className={dialog.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady) waive.mutate()
        }}
      >
        <Field label={t`Who asks for it`} value={requestedBy} onChange={setRequestedBy} required />
        <Field
          label={t`Why it may pass`}
          hint={t`At least 20 characters.`}
          value={reason}
          onChange={setReason}
          required
        />
        <Field label={t`Hours`} type="number" min={1} max={168} value={hours} onChange={setHours} required />
        <DialogActions error={waive.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || waive.isPending}>{t`Waive`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
