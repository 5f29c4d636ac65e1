import type { Collection } from '@dam/contract/types'
import { plural, t } from '@lingui/core/macro'
import { api, messageOf } from '../../lib/api.ts'
import { changeMany } from '../../lib/bulk.ts'
import { openDialog } from '../../lib/dialogs.ts'
import { currentLocation, navigate } from '../../lib/navigation.ts'
import { queryClient } from '../../lib/query-client.ts'
import { showToast } from '../../lib/toasts.ts'

const reload = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ['collections'] })

export function askForCollection(parent: Collection | null): void {
  openDialog.set({
    kind: 'name',
    title: parent ? t`New collection in “${parent.name}”` : t`New collection`,
    label: t`Name`,
    value: '',
    submit: t`Create`,
    async run(name) {
      const { data } = await api('createCollection', { body: { name, parent: parent?.id ?? null } })
      await reload()
      navigate(`/collections/${data.id}`)
    },
  })
}

export function askToRename(collection: Collection): void {
  openDialog.set({
    kind: 'name',
    title: t`Rename collection`,
    label: t`Name`,
    value: collection.name,
    submit: t`Rename`,
    async run(name) {
      await api('updateCollection', { params: { id: collection.id }, body: { name } })
      await reload()
    },
  })
}

export function askToDelete(collection: Collection): void {
  openDialog.set({
    kind: 'confirm',
    tone: 'danger',
    title: t`Delete “${collection.name}”?`,
    message: t`The collection and those inside it are deleted. The assets stay in the library.`,
    submit: t`Delete collection`,
    async run() {
      await api('deleteCollection', { params: { id: collection.id } })
      await reload()
      if (currentLocation().path === `/collections/${collection.id}`) navigate('/dam/gallery')
    },
  })
}

export async function dropOnCollection(collection: Collection, ids: number[]): Promise<void> {
  try {
    const { updated } = await changeMany({ ids, count: ids.length }, 'add_to_collection', { collection: collection.id })
    await reload()
    showToast({
      tone: 'success',
      message: plural(updated, {
        one: `# asset is now in “${collection.name}”`,
        other: `# assets are now in “${collection.name}”`,
      }),
    })
  } catch (error) {
    showToast({ tone: 'danger', message: t`Could not add to the collection`, detail: messageOf(error) })
  }
}
