import { t } from '@lingui/core/macro'
import { useMutation } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog, DialogActions } from '../../ui/dialog.tsx'
import styles from '../../ui/dialog.module.css'
import { Field } from '../../ui/field.tsx'

/** A deed that needs one sentence. Closes when it is done. */
export function ReasonDialog({
  title,
  description,
  label,
  submit,
  work,
  onClose,
}: {
  title: string
  description: string
  label: string
  submit: string
  work: (text: string) => Promise<void>
  onClose: () => void
}): ReactNode {
  const [text, setText] = useState('')
  const deed = useMutation({ mutationFn: () => work(text.trim()), onSuccess: onClose })
  const isReady = text.trim() !== ''
  return (
    <Dialog title={title} description={description} onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !deed.isPending) deed.mutate()
        }}
      >
        <Field label={label} value={text} onChange={setText} required autoFocus />
        <DialogActions error={deed.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={!isReady || deed.isPending}>
            {submit}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
