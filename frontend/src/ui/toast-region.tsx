import { t } from '@lingui/core/macro'
import { useEffect, useRef, type ReactNode } from 'react'
import { dismissToast, toasts, type Toast } from '../lib/toasts.ts'
import { useShortcut } from '../lib/shortcuts.ts'
import { useStore } from '../lib/use-store.ts'
import { Button, IconButton } from './button.tsx'
import { Icon } from './icon.tsx'
import styles from './toast-region.module.css'

export function ToastRegion(): ReactNode {
  const shown = useStore(toasts)
  useShortcut('mod+z', () => {
    const last = toasts.get().findLast((toast) => toast.action)
    if (!last) return false
    dismissToast(last.id)
    last.action?.run()
    return true
  })
  return (
    <section className={styles.region} aria-label={t`Notifications`} aria-live="polite" aria-relevant="additions text">
      {shown.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </section>
  )
}

/** Goes by itself, but not while it is pointed at or holds the focus. */
function ToastCard({ toast }: { toast: Toast }): ReactNode {
  const held = useRef(false)
  useEffect(() => {
    let left = toast.lastsMs
    const timer = setInterval(() => {
      if (!held.current) left -= 250
      if (left <= 0) dismissToast(toast.id)
    }, 250)
    return () => clearInterval(timer)
  }, [toast])
  const hold = (value: boolean) => () => {
    held.current = value
  }
  return (
    <div
      className={styles.toast}
      data-tone={toast.tone}
      onMouseEnter={hold(true)}
      onMouseLeave={hold(false)}
      onFocus={hold(true)}
      onBlur={hold(false)}
    >
      {toast.tone !== 'neutral' && <Icon name={toast.tone === 'danger' ? 'warning' : 'check'} size={18} />}
      <span className={styles.text}>
        <bdi>{toast.message}</bdi>
        {toast.detail && <span className={styles.detail}>{toast.detail}</span>}
      </span>
      {toast.action && (
        <Button
          className={styles.action}
          onClick={() => {
            dismissToast(toast.id)
            toast.action?.run()
          }}
        >
          {toast.action.label}
        </Button>
      )}
      <IconButton
        icon="close"
        label={t`Dismiss`}
        tip="above"
        size={16}
        className={styles.close}
        onClick={() => dismissToast(toast.id)}
      />
    </div>
  )
}
