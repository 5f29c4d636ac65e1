import type { AlertView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import form from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { api } from '../lib/api.ts'
import { Choice } from './choice.tsx'

/** A rule tells nobody for a while; the reason is for those who wonder why. */
export function SilenceDialog({ alert, onClose }: { alert: AlertView; onClose: () => void }): ReactNode {
  const client = useQueryClient()
  const [minutes, setMinutes] = useState('60')
  const [reason, setReason] = useState('')
  const add = useMutation({
    mutationFn: async () => {
      const body = { environment: alert.environment, rule: alert.rule, minutes: Number(minutes), reason: reason.trim() }
      await api('addSilence', { body })
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['alerts'] })
      onClose()
    },
  })
  const isReady = reason.trim().length >= 5
  return (
    <Dialog
      title={t`Silence “${alert.title}”`}
      description={t`In ${alert.environment}. It is measured all the same, and tells at once when the silence ends while it fires.`}
      onClose={onClose}
    >
      <form
        className={form.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !add.isPending) add.mutate()
        }}
      >
        <Choice
          label={t`For`}
          value={minutes}
          options={[
            ['30', t`30 minutes`],
            ['60', t`1 hour`],
            ['240', t`4 hours`],
            ['1440', t`1 day`],
            ['10080', t`7 days`],
          ]}
          onChange={setMinutes}
        />
        <Field
          label={t`Reason`}
          hint={t`At least five characters, for the record.`}
          value={reason}
          onChange={setReason}
          required
        />
        <DialogActions error={add.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || add.isPending}>{t`Silence`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
