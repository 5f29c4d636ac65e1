import type { Task } from '@dam/contract/types'
import { plural, t } from '@lingui/core/macro'
import { useQueryClient } from '@tanstack/react-query'
import { useMemo, useState, type ReactNode } from 'react'
import { api, messageOf } from '../../lib/api.ts'
import { useGalleryList } from '../../features/gallery/use-gallery-list.ts'
import { listKey } from '../../lib/asset-lists.ts'
import { waitForTask } from '../../lib/bulk.ts'
import { openDialog } from '../../lib/dialogs.ts'
import { parseGalleryQuery } from '../../lib/gallery-query.ts'
import { useLocation } from '../../lib/navigation.ts'
import { showToast } from '../../lib/toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'
import { Gallery, useUser } from './gallery-route.tsx'
import styles from './gallery-route.module.css'

export default function TrashRoute(): ReactNode {
  const { search } = useLocation()
  const query = useMemo(() => parseGalleryQuery(search, { trash: true }), [search])
  const view = new URLSearchParams(search).get('view') === 'list' ? 'list' : 'grid'
  return (
    <Gallery
      query={query}
      view={view}
      title={<h1>{t`Trash`}</h1>}
      extra={<TrashTools query={query} />}
      empty={
        <Notice
          level={2}
          icon="trash"
          title={t`The trash is empty`}
          message={t`What you move to the trash stays here until someone empties it, and can be restored.`}
        />
      }
    />
  )
}

function TrashTools({ query }: { query: ReturnType<typeof parseGalleryQuery> }): ReactNode {
  const user = useUser()
  const client = useQueryClient()
  const { count } = useGalleryList(query)
  const [working, setWorking] = useState<{ label: string; share: number | null } | null>(null)

  const follow = async (label: string, begin: () => Promise<number>, done: (task: Task) => string): Promise<void> => {
    setWorking({ label, share: null })
    try {
      const task = await waitForTask(await begin(), (share) => setWorking({ label, share }))
      showToast({ tone: 'success', message: done(task) })
    } catch (error) {
      showToast({ tone: 'danger', message: t`That did not work`, detail: messageOf(error) })
    } finally {
      setWorking(null)
      client.removeQueries({ queryKey: [listKey, 'library'] })
      void client.resetQueries({ queryKey: [listKey, 'trash'] })
      void client.invalidateQueries({ queryKey: ['collections'] })
    }
  }
  if (working) {
    return (
      <span className={styles.extra} role="status">
        {working.label} <progress value={working.share ?? undefined} aria-label={working.label} />
      </span>
    )
  }
  if (count === 0) return null
  return (
    <span className={styles.extra}>
      <Button
        look="outline"
        icon="restore"
        onClick={() =>
          openDialog.set({
            kind: 'confirm',
            tone: 'neutral',
            title: t`Restore everything?`,
            message: plural(count, {
              one: '# asset goes back to the library, with its tags and collections.',
              other: '# assets go back to the library, with their tags and collections.',
            }),
            submit: t`Restore all`,
            run: async () =>
              void follow(
                t`Restoring…`,
                async () => (await api('restoreTrash', {})).data.job_id,
                (task) => plural(task.done, { one: 'Restored # asset', other: 'Restored # assets' }),
              ),
          })
        }
      >
        {t`Restore all`}
      </Button>
      {user.role === 'administrator' && (
        <Button
          look="outline"
          icon="trash"
          onClick={() =>
            openDialog.set({
              kind: 'confirm',
              tone: 'danger',
              title: t`Empty the trash?`,
              message: plural(count, {
                one: '# asset and its original file will be deleted for good. This cannot be undone.',
                other: '# assets and their original files will be deleted for good. This cannot be undone.',
              }),
              submit: plural(count, { one: 'Delete # asset', other: 'Delete # assets' }),
              run: async () =>
                void follow(
                  t`Emptying the trash…`,
                  async () => (await api('emptyTrash', {})).data.job_id,
                  (task) => plural(task.done, { one: 'Deleted # asset for good', other: 'Deleted # assets for good' }),
                ),
            })
          }
        >
          {t`Empty trash`}
        </Button>
      )}
    </span>
  )
}
