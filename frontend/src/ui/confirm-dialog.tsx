import { t } from '@lingui/core/macro'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Button } from './button.tsx'
import { Dialog, DialogActions } from './dialog.tsx'

type ConfirmDialogProps = {
  title: string
  message: string
  submit: string
  tone: 'neutral' | 'danger'
  run: () => Promise<void>
  onClose: () => void
}

export default function ConfirmDialog({ title, message, submit, tone, run, onClose }: ConfirmDialogProps): ReactNode {
  const work = useMutation({ mutationFn: run, onSuccess: onClose })
  return (
    <Dialog title={title} description={message} onClose={onClose}>
      <DialogActions error={work.error?.message ?? null}>
        <Button look="outline" autoFocus={tone === 'danger'} onClick={onClose}>{t`Cancel`}</Button>
        <Button
          look={tone === 'danger' ? 'danger' : 'primary'}
          autoFocus={tone === 'neutral'}
          disabled={work.isPending}
          onClick={() => work.mutate()}
        >
          {submit}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
