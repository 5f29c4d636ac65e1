import { plural, t } from '@lingui/core/macro'
import type { BulkBody } from '@dam/contract/types'
import type { Action, ActionContext } from '../../lib/action.ts'
import { listKey, patchPages, removeFromPages, updateLists } from '../../lib/asset-lists.ts'
import { changeMany } from '../../lib/bulk.ts'
import { openDialog } from '../../lib/dialogs.ts'
import { queryClient } from '../../lib/query-client.ts'
import { isAtLeast } from '../../lib/session.ts'
import { showToast } from '../../lib/toasts.ts'

const mayOrganise = ({ user, query }: ActionContext): boolean => isAtLeast(user, 'editor') && !query.trash

/** Changes tags on screen at once and offers to take the change back. */
async function changeTags(context: ActionContext, action: 'add_tags' | 'remove_tags', tags: string[]): Promise<void> {
  const result = await changeMany(context.target, action, { tags })
  const changed = new Map(
    context.assets.map((asset) => [
      asset.id,
      {
        ...asset,
        tags:
          action === 'add_tags'
            ? [...new Set([...asset.tags, ...tags])]
            : asset.tags.filter((tag) => !tags.includes(tag)),
      },
    ]),
  )
  updateLists(queryClient, (data) => patchPages(data, changed))
  void queryClient.invalidateQueries({ queryKey: ['tags'] })
  for (const id of changed.keys()) void queryClient.invalidateQueries({ queryKey: ['asset', id] })
  // Taking back exactly this change needs to know who carried the tag before; that is known for loaded assets only.
  const affected = context.assets
    .filter((asset) => tags.some((tag) => asset.tags.includes(tag) === (action === 'remove_tags')))
    .map((asset) => asset.id)
  const undoable = context.assets.length === context.target.count && tags.length === 1 && affected.length > 0
  showToast({
    tone: 'success',
    message: plural(result.updated, { one: 'Changed tags of # asset', other: 'Changed tags of # assets' }),
    ...(undoable
      ? {
          action: {
            label: t`Undo`,
            run: () =>
              void changeTags(
                {
                  ...context,
                  assets: context.assets.filter((asset) => affected.includes(asset.id)),
                  target: { ids: affected, count: affected.length },
                },
                action === 'add_tags' ? 'remove_tags' : 'add_tags',
                tags,
              ),
          },
        }
      : {}),
  })
}

export const addTags: Action = {
  id: 'add-tags',
  label: () => t`Add tags`,
  icon: 'tag',
  shortcut: 't',
  prominent: true,
  canRun: mayOrganise,
  run(context) {
    openDialog.set({
      kind: 'edit-tags',
      mode: 'add',
      target: context.target,
      suggestions: [],
      run: (tags) => changeTags(context, 'add_tags', tags),
    })
  },
}

export const removeTags: Action = {
  id: 'remove-tags',
  label: () => t`Remove tags`,
  icon: 'close',
  shortcut: null,
  prominent: false,
  canRun: (context) =>
    mayOrganise(context) &&
    (context.assets.length < context.target.count || context.assets.some((asset) => asset.tags.length > 0)),
  run(context) {
    const suggestions = [...new Set(context.assets.flatMap((asset) => asset.tags))].toSorted((a, b) =>
      a.localeCompare(b),
    )
    openDialog.set({
      kind: 'edit-tags',
      mode: 'remove',
      target: context.target,
      suggestions,
      run: (tags) => changeTags(context, 'remove_tags', tags),
    })
  },
}

async function changeCollection(
  context: ActionContext,
  action: Extract<BulkBody['action'], 'add_to_collection' | 'remove_from_collection'>,
  collection: { id: number; name: string },
): Promise<void> {
  const result = await changeMany(context.target, action, { collection: collection.id })
  void queryClient.invalidateQueries({ queryKey: ['collections'] })
  for (const asset of context.assets) void queryClient.invalidateQueries({ queryKey: ['asset', asset.id] })
  if (action === 'remove_from_collection') {
    const { target } = context
    if ('ids' in target) {
      for (const [key] of queryClient.getQueriesData({ queryKey: [listKey] })) {
        if (String(key[2]).includes(`collection=${collection.id}`))
          queryClient.setQueryData(key, (data: Parameters<typeof removeFromPages>[0] | undefined) =>
            data ? removeFromPages(data, new Set(target.ids)) : data,
          )
      }
    } else void queryClient.resetQueries({ queryKey: [listKey, 'library'] })
  } else
    queryClient.removeQueries({
      queryKey: [listKey],
      type: 'inactive',
      predicate: ({ queryKey }) => String(queryKey[2]).includes('collection='),
    })
  showToast({
    tone: 'success',
    message:
      action === 'add_to_collection'
        ? plural(result.updated, {
            one: `# asset is now in “${collection.name}”`,
            other: `# assets are now in “${collection.name}”`,
          })
        : plural(result.updated, {
            one: 'Removed # asset from the collection',
            other: 'Removed # assets from the collection',
          }),
  })
}

export const addToCollection: Action = {
  id: 'add-to-collection',
  label: () => t`Add to collection`,
  icon: 'collection',
  shortcut: 'l',
  prominent: true,
  canRun: mayOrganise,
  run(context) {
    openDialog.set({
      kind: 'choose-collection',
      count: context.target.count,
      run: (collection) => changeCollection(context, 'add_to_collection', collection),
    })
  },
}

export const removeFromCollection: Action = {
  id: 'remove-from-collection',
  label: () => t`Remove from this collection`,
  icon: 'close',
  shortcut: null,
  prominent: false,
  canRun: (context) => mayOrganise(context) && context.query.collection !== null,
  run: (context) => changeCollection(context, 'remove_from_collection', { id: context.query.collection!, name: '' }),
}
