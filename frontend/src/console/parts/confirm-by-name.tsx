import { t } from '@lingui/core/macro'
import { useState, type ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { DialogActions } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import styles from '../../ui/dialog.module.css'

/** The end of a dialog for deeds that change what users see: a reason where one is wanted, and the environment's name, typed. */
export function ConfirmByName({
  name,
  submit,
  look = 'danger',
  asksReason,
  isPossible,
  isPending,
  error,
  onConfirm,
  onClose,
}: {
  name: string
  submit: string
  look?: 'primary' | 'danger'
  asksReason: boolean
  isPossible: boolean
  isPending: boolean
  error: string | null
  onConfirm: (input: { confirm: string; reason: string }) => void
  onClose: () => void
}): ReactNode {
  const [typed, setTyped] = useState('')
  const [reason, setReason] = useState('')
  const isReady = isPossible && typed === name && (!asksReason || reason.trim() !== '')
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (isReady && !isPending) onConfirm({ confirm: typed, reason: reason.trim() })
      }}
    >
      {asksReason && <Field label={t`Reason, for the record`} value={reason} onChange={setReason} required />}
      <Field
        label={t`Type ${name} to confirm`}
        value={typed}
        onChange={setTyped}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
      <DialogActions error={error}>
        <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
        <Button look={look} type="submit" disabled={!isReady || isPending}>
          {submit}
        </Button>
      </DialogActions>
    </form>
  )
}
