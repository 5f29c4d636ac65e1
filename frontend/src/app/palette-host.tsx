import { t } from '@lingui/core/macro'
import { useMemo, type ReactNode } from 'react'
import { assetActions } from '../features/actions/asset-actions.ts'
import Palette, { type PaletteCommand } from '../features/search/palette.tsx'
import { runnable } from '../lib/action.ts'
import { openDialog } from '../lib/dialogs.ts'
import { assetHref, emptyQuery, galleryHref, parseGalleryQuery } from '../lib/gallery-query.ts'
import { currentLocation, navigate } from '../lib/navigation.ts'
import { preferences, setPreference } from '../lib/preferences.ts'
import { queryClient } from '../lib/query-client.ts'
import { isAtLeast, sessionOptions } from '../lib/session.ts'
import { currentContext } from './current-actions.ts'
import { chooseFiles } from './upload-gate.ts'

/** The palette with what this application can do: the very actions of menu and keyboard, and its places. */
export default function PaletteHost({ onClose }: { onClose: () => void }): ReactNode {
  const user = queryClient.getQueryData(sessionOptions.queryKey)?.user ?? null
  const { path, search } = currentLocation()
  const commands = useMemo((): PaletteCommand[] => {
    const context = currentContext.get()
    const place = (id: string, label: string, icon: PaletteCommand['icon'], to: string): PaletteCommand => ({
      id,
      label,
      icon,
      shortcut: null,
      group: 'places',
      run: () => navigate(to),
    })
    const { theme } = preferences.get()
    return [
      ...runnable(assetActions, context).map((action): PaletteCommand => ({
        id: action.id,
        label: action.label(context!),
        icon: action.icon,
        shortcut: action.shortcut,
        group: 'actions',
        run: () => void action.run(context!),
      })),
      place('gallery', t`Gallery`, 'gallery', '/dam/gallery'),
      ...(isAtLeast(user, 'editor')
        ? [
            {
              id: 'upload',
              label: t`Upload files`,
              icon: 'upload' as const,
              shortcut: null,
              group: 'places' as const,
              run: () => chooseFiles('files', path),
            },
            {
              id: 'upload-folder',
              label: t`Upload a folder`,
              icon: 'collection' as const,
              shortcut: null,
              group: 'places' as const,
              run: () => chooseFiles('folder', path),
            },
            place('trash', t`Trash`, 'trash', '/dam/trash'),
          ]
        : []),
      ...(isAtLeast(user, 'administrator')
        ? [place('users', t`Users`, 'people', '/admin/users'), place('health', t`Health`, 'health', '/admin/health')]
        : []),
      place('settings', t`Settings`, 'settings', '/settings'),
      {
        id: 'theme',
        label: theme === 'dark' ? t`Light colours` : t`Dark colours`,
        icon: 'display',
        shortcut: null,
        group: 'places',
        run: () => setPreference('theme', theme === 'dark' ? 'light' : 'dark'),
      },
      {
        id: 'shortcuts',
        label: t`Keyboard shortcuts`,
        icon: 'keyboard',
        shortcut: '?',
        group: 'places',
        run: () => openDialog.set({ kind: 'shortcuts' }),
      },
    ]
  }, [user, path])
  const inGallery = path.startsWith('/dam/gallery') || path.startsWith('/collections/')
  const present = inGallery
    ? parseGalleryQuery(search, path.startsWith('/collections/') ? { collection: Number(path.split('/')[2]) } : {})
    : emptyQuery
  return (
    <Palette
      commands={commands}
      initial={present.q}
      onSearch={(q) => navigate(galleryHref({ ...present, q, sort: '' }))}
      onOpenAsset={(id, q) => navigate(assetHref(id, { ...emptyQuery, q }))}
      onClose={onClose}
    />
  )
}
