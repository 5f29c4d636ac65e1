import { t } from '@lingui/core/macro'
import { useMutation } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Dialog, DialogActions } from './dialog.tsx'
import { Field } from './field.tsx'
import styles from './dialog.module.css'

type NameDialogProps = {
  title: string
  label: string
  value: string
  submit: string
  run: (name: string) => Promise<void>
  onClose: () => void
}

export default function NameDialog({ title, label, value, submit, run, onClose }: NameDialogProps): ReactNode {
  const [name, setName] = useState(value)
  const work = useMutation({ mutationFn: () => run(name.trim()), onSuccess: onClose })
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim()) work.mutate()
        }}
      >
        <Field label={label} value={name} onChange={setName} maxLength={255} autoFocus required />
        <DialogActions error={work.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={work.isPending || !name.trim()}>
            {submit}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
