import type { AssetSummary, User } from '@dam/contract/types'
import type { IconName } from '../ui/icon.tsx'
import type { AssetTarget } from './dialogs.ts'
import type { GalleryQuery } from './gallery-query.ts'
import type { Shortcut } from './shortcuts.ts'

/** What is selected, by whom, and where. */
export type ActionContext = {
  target: AssetTarget
  /** Those of the target that are loaded; all of it unless the target is a filter. */
  assets: AssetSummary[]
  user: User
  query: GalleryQuery
}

/** One thing a person can do with assets. Menu, selection bar, keyboard and command palette all read this object. */
export type Action = {
  id: string
  label: (context: ActionContext) => string
  icon: IconName
  shortcut: Shortcut | null
  tone?: 'danger'
  /** Shown in the selection bar itself, not only in its menu. */
  prominent: boolean
  canRun: (context: ActionContext) => boolean
  run: (context: ActionContext) => void | Promise<void>
}

export function runnable(actions: readonly Action[], context: ActionContext | null): Action[] {
  return context && context.target.count > 0 ? actions.filter((action) => action.canRun(context)) : []
}
