import { t } from '@lingui/core/macro'
import { useMutation } from '@tanstack/react-query'
import { useId, useState, type ReactNode } from 'react'
import { api } from '../lib/api.ts'
import { showToast } from '../lib/toasts.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Segments } from '../ui/segments.tsx'
import styles from '../ui/dialog.module.css'

type Choice = '' | '1' | '2' | '3' | '4' | '5'

export default function FeedbackDialog({ onClose }: { onClose: () => void }): ReactNode {
  const labelId = useId()
  const [choice, setChoice] = useState<Choice>('')
  const [comment, setComment] = useState('')
  const work = useMutation({
    mutationFn: async () => {
      const said = comment.trim()
      await api('giveFeedback', { body: { rating: Number(choice), ...(said ? { comment: said } : {}) } })
    },
    onSuccess: () => {
      onClose()
      showToast({ tone: 'success', message: t`Thank you` })
    },
  })
  return (
    <Dialog title={t`How is DAM working for you?`} size="medium" onClose={onClose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (choice) work.mutate()
        }}
      >
        <p id={labelId} className="visually-hidden">{t`How is DAM working for you?`}</p>
        <Segments
          labelledBy={labelId}
          value={choice}
          options={[
            ['1', t`Badly`],
            ['2', t`Not so well`],
            ['3', t`So-so`],
            ['4', t`Well`],
            ['5', t`Very well`],
          ]}
          onChange={setChoice}
        />
        <Field label={t`What should be better? (optional)`} value={comment} onChange={setComment} maxLength={2000} />
        <DialogActions error={work.error?.message ?? null}>
          <Button look="outline" onClick={onClose}>{t`Cancel`}</Button>
          <Button look="primary" type="submit" disabled={work.isPending || !choice}>{t`Send`}</Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
