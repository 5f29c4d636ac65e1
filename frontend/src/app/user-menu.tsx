import { Menu } from '@base-ui/react/menu'
import type { User } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { api, messageOf } from '../lib/api.ts'
import { openDialog } from '../lib/dialogs.ts'
import { currentLocation, navigate } from '../lib/navigation.ts'
import { isAtLeast, sessionOptions } from '../lib/session.ts'
import { keysOf } from '../lib/shortcuts.ts'
import { showToast } from '../lib/toasts.ts'
import { Icon } from '../ui/icon.tsx'
import styles from '../ui/menu.module.css'
import { chooseFiles } from './upload-gate.ts'

export default function UserMenu({
  user,
  anchor,
  onClose,
}: {
  user: User
  anchor: HTMLElement
  onClose: () => void
}): ReactNode {
  const client = useQueryClient()
  const signOut = async (): Promise<void> => {
    try {
      await api('signOut', {})
    } catch (error) {
      showToast({ tone: 'danger', message: t`Could not sign out`, detail: messageOf(error) })
      return
    }
    const session = client.getQueryData(sessionOptions.queryKey)
    client.clear()
    navigate('/sign-in', { replace: true })
    if (session) client.setQueryData(sessionOptions.queryKey, { ...session, user: null })
  }
  const roleName = { viewer: t`Viewer`, editor: t`Editor`, administrator: t`Administrator` }[user.role]
  return (
    <Menu.Root
      open
      onOpenChange={(open, details) => {
        if (!open && !(details.reason === 'outside-press' && anchor.contains(details.event.target as Node))) onClose()
      }}
    >
      <Menu.Portal>
        <Menu.Positioner className={styles.positioner} anchor={anchor} side="bottom" align="end" sideOffset={6}>
          <Menu.Popup className={styles.popup} aria-label={t`Account`} finalFocus={() => anchor}>
            <div className={styles.header}>
              <strong>
                <bdi>{user.display_name || user.username}</bdi>
              </strong>
              {roleName}
            </div>
            {isAtLeast(user, 'editor') && (
              <Menu.Item className={styles.item} onClick={() => chooseFiles('folder', currentLocation().path)}>
                <Icon name="collection" size={18} />
                <span className={styles.label}>{t`Upload a folder`}</span>
              </Menu.Item>
            )}
            <Menu.Item className={styles.item} onClick={() => navigate('/settings')}>
              <Icon name="settings" size={18} />
              <span className={styles.label}>{t`Settings`}</span>
            </Menu.Item>
            <Menu.Item className={styles.item} onClick={() => openDialog.set({ kind: 'shortcuts' })}>
              <Icon name="keyboard" size={18} />
              <span className={styles.label}>{t`Keyboard shortcuts`}</span>
              <kbd className={styles.keys}>{keysOf('?').join(' ')}</kbd>
            </Menu.Item>
            <Menu.Item className={styles.item} onClick={() => openDialog.set({ kind: 'feedback' })}>
              <Icon name="health" size={18} />
              <span className={styles.label}>{t`How is DAM working for you?`}</span>
            </Menu.Item>
            <Menu.Item className={styles.item} onClick={() => void signOut()}>
              <Icon name="sign-out" size={18} />
              <span className={styles.label}>{t`Sign out`}</span>
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}
