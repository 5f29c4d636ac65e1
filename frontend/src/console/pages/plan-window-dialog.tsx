import type { MaintenanceWindowView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { navigate } from '../../lib/navigation.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import styles from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { api } from '../lib/api.ts'
import { Choice } from '../parts/choice.tsx'
import { useEnvironments } from '../parts/choose-environment.tsx'

const hourMs = 3_600_000

/** A moment as `datetime-local` shows it, in the reader's zone. */
const localText = (at: number): string =>
  new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)

/** Plans a window, or gives one other times. */
export function PlanWindowDialog({
  moved,
  onClose,
}: {
  /** Null: a new one. */
  moved: MaintenanceWindowView | null
  onClose: () => void
}): ReactNode {
  const client = useQueryClient()
  const environments = useEnvironments() ?? []
  const usual = environments.find(({ name }) => name === 'production')?.name ?? environments[0]?.name ?? ''
  const [environment, setEnvironment] = useState('')
  const [from, setFrom] = useState(() => localText(moved ? Date.parse(moved.startsAt) : Date.now() + hourMs))
  const [hours, setHours] = useState(() =>
    String(moved ? (Date.parse(moved.endsAt) - Date.parse(moved.startsAt)) / hourMs : 2),
  )
  const [reason, setReason] = useState('')
  const [mode, setMode] = useState<'read-only' | 'full'>('read-only')
  const plan = useMutation({
    mutationFn: async () => {
      const startsAt = new Date(from)
      const times = {
        startsAt: startsAt.toISOString(),
        endsAt: new Date(startsAt.getTime() + Number(hours) * hourMs).toISOString(),
      }
      if (moved) return (await api('moveMaintenance', { params: { id: moved.id }, body: times })).data
      const body = { environment: environment || usual, reason: reason.trim(), mode, ...times }
      return (await api('planMaintenance', { body })).data
    },
    onSuccess: ({ id }) => {
      void client.invalidateQueries({ queryKey: ['maintenance'] })
      onClose()
      navigate(`/maintenance/${id}`)
    },
  })
  const isReady = from !== '' && Number(hours) > 0 && (moved !== null || reason.trim() !== '')
  return (
    <Dialog
      title={moved ? t`Move the window` : t`Plan a window`}
      description={t`Whoever was told of a window is told when it changes.`}
      onClose={onClose}
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !plan.isPending) plan.mutate()
        }}
      >
        {!moved && environments.length > 1 && (
          <Choice
            label={t`Environment`}
            value={environment || usual}
            options={environments.map(({ name }) => [name, name] as const)}
            onChange={setEnvironment}
          />
        )}
        <Field label={t`Begins (your time)`} type="datetime-local" value={from} onChange={setFrom} required />
        <Field
          label={t`Hours`}
          type="number"
          min="0.25"
          max="168"
          step="0.25"
          value={hours}
          onChange={setHours}
          required
        />
        {!moved && (
          <>
            <Field label={t`Reason, users read it`} value={reason} onChange={setReason} required />
            <Choice
              label={t`Meanwhile`}
              value={mode}
              options={[
                ['read-only', t`read-only`],
                ['full', t`closed`],
              ]}
              onChange={(value) => setMode(value === 'full' ? 'full' : 'read-only')}
            />
          </>
        )}
        <DialogActions error={plan.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || plan.isPending}>
            {moved ? t`Move` : t`Plan and tell users`}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
