import { Dialog as Base } from '@base-ui/react/dialog'
import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { IconButton } from './button.tsx'
import styles from './dialog.module.css'

type DialogProps = {
  title: string
  description?: ReactNode
  size?: 'small' | 'medium' | 'large'
  onClose: () => void
  children: ReactNode
}

/** A modal dialog: keeps the focus, closes with Esc, gives the focus back. */
export function Dialog({ title, description, size = 'small', onClose, children }: DialogProps): ReactNode {
  return (
    <Base.Root open onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={styles.popup} data-size={size}>
          <div className={styles.head}>
            <Base.Title className={styles.title}>
              <bdi>{title}</bdi>
            </Base.Title>
            <IconButton icon="close" label={t`Close`} tip="end" onClick={onClose} />
          </div>
          {description && <Base.Description className={styles.description}>{description}</Base.Description>}
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}

export function DialogActions({ children, error }: { children: ReactNode; error?: string | null }): ReactNode {
  return (
    <>
      <p role="alert" className={styles.error}>
        {error}
      </p>
      <div className={styles.actions}>{children}</div>
    </>
  )
}
