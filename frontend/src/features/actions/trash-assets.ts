import { plural, t } from '@lingui/core/macro'
import type { Action, ActionContext } from '../../lib/action.ts'
import { listKey, removeFromPages, updateLists, type AssetPages } from '../../lib/asset-lists.ts'
import { messageOf } from '../../lib/api.ts'
import { changeMany } from '../../lib/bulk.ts'
import { queryClient } from '../../lib/query-client.ts'
import { isAtLeast } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'

type Restorable = { restore: () => void }

/** Takes assets off the screen before the server has answered; `restore` puts everything back. */
function removeFromScreen({ target, query }: ActionContext): Restorable {
  const before = queryClient.getQueriesData<AssetPages>({ queryKey: [listKey] })
  if ('ids' in target) updateLists(queryClient, (data) => removeFromPages(data, new Set(target.ids)))
  return {
    restore() {
      for (const [key, data] of before) queryClient.setQueryData(key, data)
      if (!('ids' in target)) void queryClient.resetQueries({ queryKey: [listKey, query.trash ? 'trash' : 'library'] })
    },
  }
}

/** Lists of the other side have changed: they are read again when they are next shown. */
function forget(place: 'library' | 'trash'): void {
  queryClient.removeQueries({ queryKey: [listKey, place], type: 'inactive' })
  void queryClient.invalidateQueries({ queryKey: ['collections'] })
  void queryClient.invalidateQueries({ queryKey: ['tags'] })
}

export const trash: Action = {
  id: 'trash',
  label: () => t`Move to trash`,
  icon: 'trash',
  shortcut: 'delete',
  tone: 'danger',
  prominent: true,
  canRun: ({ user, query }) => isAtLeast(user, 'editor') && !query.trash,
  async run(context) {
    const screen = removeFromScreen(context)
    try {
      const result = await changeMany(context.target, 'delete')
      if (!('ids' in context.target)) void queryClient.resetQueries({ queryKey: [listKey, 'library'] })
      forget('trash')
      if (result.failed > 0)
        showToast({
          tone: 'danger',
          message: plural(result.failed, {
            one: '# asset could not be moved to the trash',
            other: '# assets could not be moved to the trash',
          }),
          ...(result.errors[0] ? { detail: result.errors[0].error } : {}),
        })
      const { target } = context
      showToast({
        message: plural(result.updated, { one: 'Moved # asset to the trash', other: 'Moved # assets to the trash' }),
        ...('ids' in target
          ? {
              action: {
                label: t`Undo`,
                run: () =>
                  void changeMany(target, 'restore').then(
                    () => {
                      screen.restore()
                      forget('trash')
                    },
                    (error: unknown) =>
                      showToast({ tone: 'danger', message: t`Could not undo`, detail: messageOf(error) }),
                  ),
              },
            }
          : {}),
      })
    } catch (error) {
      screen.restore()
      showToast({ tone: 'danger', message: t`Nothing was moved to the trash`, detail: messageOf(error) })
    }
  },
}

export const restore: Action = {
  id: 'restore',
  label: () => t`Restore`,
  icon: 'restore',
  shortcut: 'r',
  prominent: true,
  canRun: ({ user, query }) => isAtLeast(user, 'editor') && query.trash,
  async run(context) {
    const screen = removeFromScreen(context)
    try {
      const result = await changeMany(context.target, 'restore')
      forget('library')
      showToast({
        tone: 'success',
        message: plural(result.updated, { one: 'Restored # asset', other: 'Restored # assets' }),
      })
    } catch (error) {
      screen.restore()
      showToast({ tone: 'danger', message: t`Nothing was restored`, detail: messageOf(error) })
    }
  },
}
