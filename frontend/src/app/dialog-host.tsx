import { lazy, Suspense, type ReactNode } from 'react'
import { openDialog } from '../lib/dialogs.ts'
import { useShortcut } from '../lib/shortcuts.ts'
import { useStore } from '../lib/use-store.ts'

const Palette = lazy(() => import('./palette-host.tsx'))
const EditTags = lazy(() => import('../features/actions/edit-tags-dialog.tsx'))
const ChooseCollection = lazy(() => import('../features/collections/choose-collection-dialog.tsx'))
const NameDialog = lazy(() => import('../ui/name-dialog.tsx'))
const ConfirmDialog = lazy(() => import('../ui/confirm-dialog.tsx'))
const ShortcutsDialog = lazy(() => import('./shortcuts-dialog.tsx'))

/** Renders the one open dialog; each kind is a chunk of its own. */
export function DialogHost(): ReactNode {
  const dialog = useStore(openDialog)
  useShortcut('/', () => openDialog.set({ kind: 'palette' }))
  useShortcut('mod+k', () => openDialog.set({ kind: 'palette' }), { inFields: true })
  useShortcut('?', () => openDialog.set({ kind: 'shortcuts' }))
  if (!dialog) return null
  const close = (): void => openDialog.set((now) => (now === dialog ? null : now))
  return (
    <Suspense>
      {dialog.kind === 'palette' && <Palette onClose={close} />}
      {dialog.kind === 'edit-tags' && <EditTags {...dialog} onClose={close} />}
      {dialog.kind === 'choose-collection' && <ChooseCollection {...dialog} onClose={close} />}
      {dialog.kind === 'name' && <NameDialog {...dialog} onClose={close} />}
      {dialog.kind === 'confirm' && <ConfirmDialog {...dialog} onClose={close} />}
      {dialog.kind === 'shortcuts' && <ShortcutsDialog onClose={close} />}
    </Suspense>
  )
}
