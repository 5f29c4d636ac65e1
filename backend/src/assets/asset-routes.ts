import { Problem, type Asset } from '@dam/contract'
import type { Database } from '@dam/platform/database'
import type { Context, Handlers } from '../http/handler.ts'
import { accessLevelOf, demand, visibleAssets, type Principal } from '../people/access.ts'
import { taskUrl } from '../tasks/task-routes.ts'
import { etagOf, findAssetDetail, isCurrent } from './asset-detail.ts'
import { assetTimeline } from './asset-timeline.ts'
import { bulkAssets } from './bulk-assets.ts'
import { assetNotFound, editAsset, type AssetEdit } from './edit-asset.ts'
import { listAssets } from './list-assets.ts'
import { replayIngest } from './replay-ingest.ts'
import type { SummaryCache } from './summary-cache.ts'
import { monthCounts } from './tally.ts'
import { trashAsset } from './trash-asset.ts'

export type AssetDeps = { database: Database; summaries: SummaryCache }

type Routes =
  | 'listAssets'
  | 'bulkAssets'
  | 'getAsset'
  | 'replaceAsset'
  | 'updateAsset'
  | 'deleteAsset'
  | 'getAssetTimeline'
  | 'replayIngest'
  | 'listDates'

type Caller = Pick<Context<'updateAsset'>, 'principal' | 'origin' | 'request' | 'reply'>

export function assetHandlers({ database, summaries }: AssetDeps): Pick<Handlers, Routes> {
  const detail = async (id: number, principal: Principal, origin: string): Promise<Asset> => {
    const asset = await findAssetDetail(database, id, visibleAssets(principal, 'all'), {
      origin,
      accessLevel: accessLevelOf(principal),
    })
    if (!asset) throw assetNotFound()
    return asset
  }

  const edit = async (id: number, change: AssetEdit, { principal, origin, request, reply }: Caller) => {
    demand(principal, 'asset.edit')
    const conflict = async (): Promise<Problem> =>
      new Problem(
        'edit-conflict',
        'Somebody changed this asset meanwhile. Compare with its current state, then save again.',
        {
          details: { current: await detail(id, principal, origin) },
        },
      )
    await database.transaction((tx) =>
      editAsset(tx, {
        id,
        edit: change,
        ifMatch: request.headers['if-match'],
        visible: visibleAssets(principal, 'all'),
        actorId: principal.id,
        conflict,
      }),
    )
    return answer(await detail(id, principal, origin), reply)
  }

  return {
    listAssets: async ({ query }, { principal, origin, request, reply }) => {
      const text = await listAssets(
        { querier: database, summaries },
        { principal, scope: 'library', query, origin, url: request.url },
      )
      return reply.type('application/json; charset=utf-8').send(text)
    },
    getAsset: async ({ params }, { principal, origin, request, reply }) => {
      const asset = await detail(params.id, principal, origin)
      const text = JSON.stringify(asset)
      const etag = etagOf(asset, text)
      // Revalidated each time, never served from a cache unasked.
      reply.header('etag', etag).header('cache-control', 'private, no-cache')
      if (isCurrent(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return reply.type('application/json; charset=utf-8').send(text)
    },
    replaceAsset: ({ params, body }, context) => edit(params.id, body, context),
    updateAsset: ({ params, body }, context) => edit(params.id, body, context),
    deleteAsset: async ({ params }, { principal }) => {
      demand(principal, 'asset.trash')
      await database.transaction((tx) =>
        trashAsset(tx, { id: params.id, visible: visibleAssets(principal, 'all'), actorId: principal.id }),
      )
      return undefined
    },
    bulkAssets: async ({ body }, { principal, origin, reply }) => {
      const outcome = await bulkAssets(database, principal, body)
      if ('result' in outcome) return outcome.result
      reply.code(202).header('location', taskUrl(origin, outcome.taskId))
      return { job_id: outcome.taskId }
    },
    getAssetTimeline: async ({ params }, { principal, origin }) => {
      await detail(params.id, principal, origin)
      return assetTimeline(database, params.id)
    },
    replayIngest: async ({ params, body }, { principal, origin, reply }) => {
      demand(principal, 'asset.edit')
      await detail(params.id, principal, origin)
      const id = await database.transaction((tx) =>
        replayIngest(tx, { assetId: params.id, from: body.from, actorId: principal.id }),
      )
      reply.header('location', taskUrl(origin, id))
      return { job_id: id }
    },
    listDates: async (_, { principal }) => {
      demand(principal, 'asset.read')
      return { results: await monthCounts(database) }
    },
  }
}

function answer(asset: Asset, reply: Context['reply']) {
  const text = JSON.stringify(asset)
  return reply.header('etag', etagOf(asset, text)).type('application/json; charset=utf-8').send(text)
}
