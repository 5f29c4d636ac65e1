import { createStore } from './store.ts'
import type { GalleryQuery } from './gallery-query.ts'

/** The gallery on screen, for those who feed it: new assets are put in only where nobody is looking further down. */
export type Presence = { query: GalleryQuery; atTop: boolean }
export const presence = createStore<Presence | null>(null)

/** Matching assets that arrived while the gallery was scrolled. */
export const arrivals = createStore<{ count: number; more: boolean }>({ count: 0, more: false })

/** Where each gallery was left, by its address. */
export const leftAt = new Map<string, { scrollTop: number; focusedId: number | null }>()
