import { lazy, Suspense, useEffect, type ReactNode } from 'react'
import { openDialog } from '../lib/dialogs.ts'
import { useShortcut } from '../lib/shortcuts.ts'
import { beginTypeAhead, endTypeAhead } from '../lib/type-ahead.ts'
import { useStore } from '../lib/use-store.ts'

const loadPalette = () => import('./palette-host.tsx')
const Palette = lazy(loadPalette)
const EditTags = lazy(() => import('../features/actions/edit-tags-dialog.tsx'))
const ChooseCollection = lazy(() => import('../features/collections/choose-collection-dialog.tsx'))
const NameDialog = lazy(() => import('../ui/name-dialog.tsx'))
const ConfirmDialog = lazy(() => import('../ui/confirm-dialog.tsx'))
const FeedbackDialog = lazy(() => import('./feedback-dialog.tsx'))
const ShortcutsDialog = lazy(() => import('./shortcuts-dialog.tsx'))

/** Renders the one open dialog; each kind is a chunk of its own. */
export function DialogHost(): ReactNode {
  const dialog = useStore(openDialog)
  useShortcut('/', () => openDialog.set({ kind: 'palette' }))
  useShortcut('mod+k', () => openDialog.set({ kind: 'palette' }), { inFields: true })
  useShortcut('?', () => openDialog.set({ kind: 'shortcuts' }))
  const isPalette = dialog?.kind === 'palette'
  useEffect(() => {
    if (isPalette) return () => void endTypeAhead()
    return openDialog.subscribe(() => {
      if (openDialog.get()?.kind === 'palette') beginTypeAhead()
    })
  }, [isPalette])
  useEffect(() => {
    // Ctrl is on its way to Ctrl+K more often than not.
    const fetchAhead = (event: KeyboardEvent): void => {
      if (event.key !== 'Control' && event.key !== 'Meta') return
      window.removeEventListener('keydown', fetchAhead)
      void loadPalette()
    }
    window.addEventListener('keydown', fetchAhead)
    return () => window.removeEventListener('keydown', fetchAhead)
  }, [])
  if (!dialog) return null
  const close = (): void => openDialog.set((now) => (now === dialog ? null : now))
  return (
    <Suspense>
      {dialog.kind === 'palette' && <Palette onClose={close} />}
      {dialog.kind === 'edit-tags' && <EditTags {...dialog} onClose={close} />}
      {dialog.kind === 'choose-collection' && <ChooseCollection {...dialog} onClose={close} />}
      {dialog.kind === 'name' && <NameDialog {...dialog} onClose={close} />}
      {dialog.kind === 'confirm' && <ConfirmDialog {...dialog} onClose={close} />}
      {dialog.kind === 'feedback' && <FeedbackDialog onClose={close} />}
      {dialog.kind === 'shortcuts' && <ShortcutsDialog onClose={close} />}
    </Suspense>
  )
}
