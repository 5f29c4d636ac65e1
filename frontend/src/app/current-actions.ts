import type { ActionContext } from '../lib/action.ts'
import { createStore } from '../lib/store.ts'

/** What the page on screen has selected; the palette offers actions on it. */
export const currentContext = createStore<ActionContext | null>(null)
