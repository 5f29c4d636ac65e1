import type { Asset } from '@dam/contract/types'

/** What a person may edit. */
export type Draft = Pick<Asset, 'label' | 'description' | 'tags'>

export const draftOf = (asset: Draft): Draft => ({
  label: asset.label,
  description: asset.description,
  tags: asset.tags,
})

const sameTags = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((tag) => b.includes(tag))

/** Fields of `draft` that differ from `saved`; empty titles are not saved. */
export function changesBetween(saved: Draft, draft: Draft): Partial<Draft> {
  return {
    ...(draft.label.trim() !== saved.label && draft.label.trim() !== '' ? { label: draft.label.trim() } : {}),
    ...(draft.description !== saved.description ? { description: draft.description } : {}),
    ...(sameTags(draft.tags, saved.tags) ? {} : { tags: draft.tags }),
  }
}

export type Conflict = { field: keyof Draft; mine: string | string[]; theirs: string | string[] }

/**
 * What two people changed since `base`. Where only one of them changed a field, that one is taken; tags are merged as
 * additions and removals of both. Only titles and descriptions that both changed differently are conflicts.
 */
export function mergeDrafts(base: Draft, mine: Draft, theirs: Draft): { merged: Draft; conflicts: Conflict[] } {
  const conflicts: Conflict[] = []
  const text = (field: 'label' | 'description'): string => {
    if (mine[field] === base[field]) return theirs[field]
    if (theirs[field] !== base[field] && theirs[field] !== mine[field])
      conflicts.push({ field, mine: mine[field], theirs: theirs[field] })
    return mine[field]
  }
  const removed = new Set([
    ...base.tags.filter((tag) => !mine.tags.includes(tag)),
    ...base.tags.filter((tag) => !theirs.tags.includes(tag)),
  ])
  const tags = [...new Set([...theirs.tags, ...mine.tags])].filter((tag) => !removed.has(tag))
  return { merged: { label: text('label'), description: text('description'), tags }, conflicts }
}
