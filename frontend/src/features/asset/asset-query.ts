import type { Asset, Timeline } from '@dam/contract/types'
import { queryOptions } from '@tanstack/react-query'
import { api } from '../../lib/api.ts'
import { detailKey, timelineKey } from '../../lib/asset-lists.ts'

export type AssetVersion = { asset: Asset; etag: string | null }

export const assetOptions = (id: number) =>
  queryOptions({
    queryKey: detailKey(id),
    queryFn: async ({ signal }): Promise<AssetVersion> => {
      const { data, etag } = await api('getAsset', { params: { id } }, { signal })
      return { asset: data, etag }
    },
    staleTime: 10_000,
  })

export const timelineOptions = (id: number) =>
  queryOptions({
    queryKey: timelineKey(id),
    queryFn: async ({ signal }): Promise<Timeline> =>
      (await api('getAssetTimeline', { params: { id } }, { signal })).data,
  })
