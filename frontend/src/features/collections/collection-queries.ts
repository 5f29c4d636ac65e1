import type { Collection } from '@dam/contract/types'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { api } from '../../lib/api.ts'

export const collectionsOptions = queryOptions({
  queryKey: ['collections'] as const,
  queryFn: async ({ signal }): Promise<Collection[]> => (await api('listCollections', {}, { signal })).data.results,
})

/** One collection: from the tree where that is loaded, else asked for. */
export function useCollection(id: number) {
  return useQuery({
    queryKey: ['collections', id],
    queryFn: async ({ signal }) => (await api('getCollection', { params: { id } }, { signal })).data,
  })
}

export type CollectionNode = { collection: Collection; children: CollectionNode[] }

/** The tree of collections; one whose parent is not in the list stands at the top. */
export function treeOf(collections: readonly Collection[]): CollectionNode[] {
  const nodes = new Map(
    collections.map((collection) => [collection.id, { collection, children: [] as CollectionNode[] }]),
  )
  const roots: CollectionNode[] = []
  for (const node of nodes.values()) {
    const parent = node.collection.parent === null ? undefined : nodes.get(node.collection.parent)
    if (parent) parent.children.push(node)
    else roots.push(node)
  }
  return roots
}
