import type { Action } from '../../lib/action.ts'
import { addTags, addToCollection, removeFromCollection, removeTags } from './organise-assets.ts'
import { copyLink, download, replay } from './use-assets.ts'
import { restore, trash } from './trash-assets.ts'

/** Everything a person can do with assets, in the order of menus. */
export const assetActions: readonly Action[] = [
  download,
  copyLink,
  addTags,
  removeTags,
  addToCollection,
  removeFromCollection,
  replay,
  restore,
  trash,
]
