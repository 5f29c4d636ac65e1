import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { assetListOptions, flattenPages } from '../../lib/asset-lists.ts'
import { formatGalleryQuery, type GalleryQuery } from '../../lib/gallery-query.ts'

export function useGalleryList(query: GalleryQuery) {
  const list = useInfiniteQuery(assetListOptions(query))
  const assets = useMemo(() => flattenPages(list.data), [list.data])
  const first = list.data?.pages[0]
  return {
    assets,
    key: `${query.trash ? 'trash' : 'library'}${formatGalleryQuery(query)}`,
    count: first?.count ?? 0,
    countIsEstimate: first?.count_is_estimate ?? false,
    facets: first?.facets,
    isLoading: list.isPending,
    isFetchingMore: list.isFetchingNextPage,
    hasMore: list.hasNextPage,
    error: list.error,
    loadMore: () => {
      if (list.hasNextPage && !list.isFetchingNextPage && !list.isError) void list.fetchNextPage()
    },
    retry: () => void (list.data ? list.fetchNextPage() : list.refetch()),
  }
}
export type GalleryList = ReturnType<typeof useGalleryList>
