import type { MaintenanceDetail } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import styles from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'
import { api } from '../lib/api.ts'
import { Choice } from '../parts/choice.tsx'

/** Begins maintenance. Lines of the checklist that are open can be overridden with a reason; the backup is made by the command. */
export function StartMaintenanceDialog({
  window,
  onStarted,
  onClose,
}: {
  window: MaintenanceDetail
  onStarted: (action: number) => void
  onClose: () => void
}): ReactNode {
  const [mode, setMode] = useState(window.mode)
  const [override, setOverride] = useState('')
  const open = window.checklist.filter(
    ({ list, item, state }) => list === 'before' && item !== 'backup' && state !== 'pass' && state !== 'attested',
  )
  const start = useMutation({
    mutationFn: async () =>
      (
        await api('startMaintenance', {
          params: { id: window.id },
          body: { mode, ...(override.trim() ? { override: override.trim() } : {}) },
        })
      ).data,
    onSuccess: ({ action }) => {
      onStarted(action)
      onClose()
    },
  })
  const isReady = open.length === 0 || override.trim() !== ''
  return (
    <Dialog
      title={t`Begin maintenance of ${window.environment}`}
      description={t`A backup is made first when none is fresh. Read-only lets people browse, search and download; uploads pause and go on by themselves.`}
      onClose={onClose}
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !start.isPending) start.mutate()
        }}
      >
        <Choice
          label={t`Meanwhile`}
          value={mode}
          options={[
            ['read-only', t`read-only`],
            ['full', t`closed`],
          ]}
          onChange={(value) => setMode(value === 'full' ? 'full' : 'read-only')}
        />
        {open.length > 0 && (
          <>
            <p>{t`Open lines of the checklist: ${open.map(({ title }) => title).join(', ')}.`}</p>
            <Field
              label={t`Why it begins all the same`}
              hint={t`It is kept in the audit and in the report.`}
              value={override}
              onChange={setOverride}
            />
          </>
        )}
        <DialogActions error={start.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="danger" type="submit" disabled={!isReady || start.isPending}>{t`Begin`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
