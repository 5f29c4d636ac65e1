import type { AssetFilters } from '@dam/contract/types'
import { createStore } from './store.ts'

/** What an action works on: listed assets, or everything that matches a filter. */
export type AssetTarget =
  | { ids: number[]; count: number }
  | { filter: { q?: string; filters: AssetFilters }; count: number }

export type OpenDialog =
  | {
      kind: 'edit-tags'
      target: AssetTarget
      mode: 'add' | 'remove'
      suggestions: string[]
      run: (tags: string[]) => Promise<void>
    }
  | { kind: 'choose-collection'; count: number; run: (collection: { id: number; name: string }) => Promise<void> }
  | { kind: 'name'; title: string; label: string; value: string; submit: string; run: (name: string) => Promise<void> }
  | {
      kind: 'confirm'
      title: string
      message: string
      submit: string
      tone: 'neutral' | 'danger'
      run: () => Promise<void>
    }
  | { kind: 'shortcuts' }
  | { kind: 'feedback' }
  | { kind: 'palette' }

/** The one dialog that is open. Rendered by `app/dialog-host.tsx`, in chunks of their own. */
export const openDialog = createStore<OpenDialog | null>(null)
