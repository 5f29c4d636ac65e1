/** Chosen assets: by id, or everything the gallery's filter matches. */
export type Selection = { kind: 'ids'; ids: ReadonlySet<number>; anchor: number | null } | { kind: 'all' }

export const nothing: Selection = { kind: 'ids', ids: new Set(), anchor: null }

export function isSelected(selection: Selection, id: number): boolean {
  return selection.kind === 'all' || selection.ids.has(id)
}

export function selectedCount(selection: Selection, total: number): number {
  return selection.kind === 'all' ? total : selection.ids.size
}

/** Taking one out of “all” leaves those that are loaded: only they can be named. */
export function toggle(selection: Selection, id: number, loaded: readonly number[]): Selection {
  const ids = new Set(selection.kind === 'all' ? loaded : selection.ids)
  if (ids.has(id)) ids.delete(id)
  else ids.add(id)
  return { kind: 'ids', ids, anchor: id }
}

export function selectOnly(id: number): Selection {
  return { kind: 'ids', ids: new Set([id]), anchor: id }
}

/** Adds everything between the anchor and `id`, both included; without an anchor, `id` alone. */
export function extendTo(selection: Selection, id: number, loaded: readonly number[]): Selection {
  if (selection.kind === 'all') return selection
  const to = loaded.indexOf(id)
  if (to === -1) return selection
  const from = selection.anchor === null ? -1 : loaded.indexOf(selection.anchor)
  if (from === -1) return { kind: 'ids', ids: new Set([...selection.ids, id]), anchor: id }
  const [first, last] = from <= to ? [from, to] : [to, from]
  return { kind: 'ids', ids: new Set([...selection.ids, ...loaded.slice(first, last + 1)]), anchor: selection.anchor }
}

/** Moves the free end of a range from `previous` to `id`: what it leaves behind is deselected. */
export function moveRangeEnd(selection: Selection, previous: number, id: number, loaded: readonly number[]): Selection {
  if (selection.kind === 'all') return selection
  const anchor = selection.anchor ?? previous
  const range = (end: number): number[] => {
    const [a, b] = [loaded.indexOf(anchor), loaded.indexOf(end)]
    return a === -1 || b === -1 ? [] : loaded.slice(Math.min(a, b), Math.max(a, b) + 1)
  }
  const ids = new Set(selection.ids)
  for (const left of range(previous)) ids.delete(left)
  for (const entered of range(id)) ids.add(entered)
  return { kind: 'ids', ids, anchor }
}

/** Forgets assets that are gone. */
export function without(selection: Selection, gone: ReadonlySet<number>): Selection {
  if (selection.kind === 'all' || ![...selection.ids].some((id) => gone.has(id))) return selection
  return { ...selection, ids: new Set([...selection.ids].filter((id) => !gone.has(id))) }
}
