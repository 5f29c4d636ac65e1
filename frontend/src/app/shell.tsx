import type { User } from '@dam/contract/types'
import { t } from '@lingui/core/macro'
import { useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState, type DragEvent, type ReactNode } from 'react'
import { CollectionTree } from '../features/collections/collection-tree.tsx'
import { openDialog } from '../lib/dialogs.ts'
import { Link, useLocation } from '../lib/navigation.ts'
import { preferences, setPreference } from '../lib/preferences.ts'
import { isAtLeast } from '../lib/session.ts'
import { keysOf } from '../lib/shortcuts.ts'
import { useStore } from '../lib/use-store.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Icon, Mark, type IconName } from '../ui/icon.tsx'
import { MaintenanceBanner } from './maintenance-banner.tsx'
import { acceptDrop, chooseFiles, uploadsWanted, lookForUnfinished } from './upload-gate.ts'
import styles from './shell.module.css'

const UserMenu = lazy(() => import('./user-menu.tsx'))
const UploadTray = lazy(() => import('../features/uploads/upload-tray.tsx'))

export function Shell({ user, bare, children }: { user: User; bare: boolean; children: ReactNode }): ReactNode {
  const { path, search } = useLocation()
  const q = new URLSearchParams(search).get('q') ?? ''
  const client = useQueryClient()
  const sidebar = useStore(preferences, (value) => value.sidebar)
  const [drawer, setDrawer] = useState(false)
  const mayEdit = isAtLeast(user, 'editor')
  const wanted = useStore(uploadsWanted)

  useEffect(() => {
    let stop: (() => void) | null | undefined = null
    // News can wait until the first pictures are asked for.
    void import('../features/live/follow-events.ts').then(({ followEvents }) => {
      if (stop === null) stop = followEvents(client)
    })
    return () => {
      stop?.()
      stop = undefined
    }
  }, [client])
  useEffect(() => setDrawer(false), [path])
  useEffect(() => {
    if (mayEdit) lookForUnfinished()
  }, [mayEdit])

  return (
    <DropArea enabled={mayEdit}>
      <a className={styles.skip} href="#content">{t`Skip to the content`}</a>
      <div className={styles.shell} data-sidebar={sidebar} data-bare={bare || undefined}>
        {!bare && (
          <>
            <nav className={styles.sidebar} data-open={drawer || undefined} aria-label={t`Main`}>
              <div className={styles.brand}>
                <Link to="/dam/gallery" className={styles.brandLink} aria-label={t`DAM, to the gallery`}>
                  <Mark size={26} />
                  <span className={styles.brandName}>DAM</span>
                </Link>
                <IconButton
                  icon="close"
                  label={t`Close the menu`}
                  className={styles.drawerClose}
                  onClick={() => setDrawer(false)}
                />
              </div>
              <ul className={styles.places}>
                <Place to="/dam/gallery" icon="gallery" label={t`Gallery`} current={path.startsWith('/dam/gallery')} />
                {mayEdit && (
                  <Place to="/dam/trash" icon="trash" label={t`Trash`} current={path.startsWith('/dam/trash')} />
                )}
              </ul>
              <CollectionTree path={path} mayEdit={mayEdit} />
              <ul className={styles.places}>
                {user.role === 'administrator' && (
                  <Place
                    to="/admin/users"
                    icon="people"
                    label={t`Users`}
                    current={path.startsWith('/admin/users') || path === '/admin'}
                  />
                )}
                {user.role === 'administrator' && (
                  <Place
                    to="/admin/health"
                    icon="health"
                    label={t`Health`}
                    current={path.startsWith('/admin/health')}
                  />
                )}
                <Place to="/settings" icon="settings" label={t`Settings`} current={path.startsWith('/settings')} />
              </ul>
            </nav>
            {drawer && (
              <button
                type="button"
                className={styles.scrim}
                aria-label={t`Close the menu`}
                tabIndex={-1}
                onClick={() => setDrawer(false)}
              />
            )}
            <header className={styles.bar}>
              <IconButton
                icon="menu"
                label={t`Menu`}
                tip="start"
                className={styles.menuButton}
                aria-expanded={drawer}
                onClick={() => setDrawer(true)}
              />
              <IconButton
                icon="sidebar"
                label={sidebar === 'open' ? t`Hide the sidebar` : t`Show the sidebar`}
                tip="start"
                className={styles.sidebarButton}
                aria-pressed={false}
                onClick={() => setPreference('sidebar', sidebar === 'open' ? 'closed' : 'open')}
              />
              <button
                type="button"
                className={styles.search}
                aria-haspopup="dialog"
                onClick={() => openDialog.set({ kind: 'palette' })}
              >
                <Icon name="search" size={18} />
                <span className={styles.searchText} data-query={q !== '' || undefined}>
                  {q === '' ? t`Search` : <bdi>{q}</bdi>}
                </span>
                <kbd aria-hidden="true">{keysOf('mod+k').join(' ')}</kbd>
              </button>
              {mayEdit && (
                <Button
                  look="primary"
                  icon="upload"
                  className={styles.upload}
                  aria-label={t`Upload`}
                  onClick={() => chooseFiles('files', path)}
                >
                  <span className={styles.uploadLabel}>{t`Upload`}</span>
                </Button>
              )}
              <UserButton user={user} />
            </header>
          </>
        )}
        {!bare && <MaintenanceBanner />}
        <main id="content" className={styles.main} tabIndex={-1}>
          {children}
        </main>
      </div>
      {wanted && (
        <Suspense>
          <UploadTray />
        </Suspense>
      )}
    </DropArea>
  )
}

function Place({
  to,
  icon,
  label,
  current,
}: {
  to: string
  icon: IconName
  label: string
  current: boolean
}): ReactNode {
  return (
    <li>
      <Link to={to} className={styles.place} aria-current={current ? 'page' : undefined}>
        <Icon name={icon} size={19} />
        <span>{label}</span>
      </Link>
    </li>
  )
}

function UserButton({ user }: { user: User }): ReactNode {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const name = user.display_name || user.username
  return (
    <>
      <button
        type="button"
        className={styles.user}
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        aria-label={t`Account of ${name}`}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      >
        {Array.from(name)[0]?.toUpperCase()}
      </button>
      {anchor && (
        <Suspense>
          <UserMenu user={user} anchor={anchor} onClose={() => setAnchor(null)} />
        </Suspense>
      )}
    </>
  )
}

const carriesFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files')

/** The whole window takes files and folders. */
function DropArea({ enabled, children }: { enabled: boolean; children: ReactNode }): ReactNode {
  const [depth, setDepth] = useState(0)
  const { path } = useLocation()
  return (
    <div
      className={styles.drop}
      onDragEnter={(event) => {
        if (carriesFiles(event)) setDepth((now) => now + 1)
      }}
      onDragLeave={(event) => {
        if (carriesFiles(event)) setDepth((now) => Math.max(0, now - 1))
      }}
      onDragOver={(event) => {
        if (!carriesFiles(event)) return
        event.preventDefault()
        event.dataTransfer.dropEffect = enabled ? 'copy' : 'none'
      }}
      onDrop={(event) => {
        if (!carriesFiles(event)) return
        event.preventDefault()
        setDepth(0)
        if (enabled) acceptDrop(event.dataTransfer, path)
      }}
    >
      {children}
      {depth > 0 && enabled && (
        <div className={styles.dropHint} aria-hidden="true">
          <div>
            <Icon name="upload" size={40} />
            <strong>{t`Drop to upload`}</strong>
            <span>{t`Folders become collections`}</span>
          </div>
        </div>
      )}
    </div>
  )
}
