import type { Database } from '@dam/platform/database'
import type { AssetOrder } from '../assets/asset-order.ts'
import { listAssets } from '../assets/list-assets.ts'
import type { SummaryCache } from '../assets/summary-cache.ts'
import type { Handlers } from '../http/handler.ts'
import { demand, visibleAssets } from '../people/access.ts'
import { taskUrl } from '../tasks/task-routes.ts'
import { purgeAsset, startEmptying } from './empty-trash.ts'
import { startRestoring } from './restore-trash.ts'

export type TrashDeps = { database: Database; summaries: SummaryCache }

const lastTrashedFirst: AssetOrder = { field: 'date_trashed', descending: true }

export const trashHandlers = ({
  database,
  summaries,
}: TrashDeps): Pick<Handlers, 'listTrash' | 'restoreTrash' | 'emptyTrash' | 'purgeAsset'> => ({
  listTrash: async ({ query }, { principal, origin, request, reply }) => {
    demand(principal, 'trash.read')
    const text = await listAssets(
      { querier: database, summaries },
      { principal, scope: 'trash', query, defaultOrder: lastTrashedFirst, origin, url: request.url },
    )
    return reply.type('application/json; charset=utf-8').send(text)
  },
  restoreTrash: async (_, { principal, origin, reply }) => {
    demand(principal, 'asset.restore')
    const id = await database.transaction((tx) => startRestoring(tx, principal.id))
    reply.header('location', taskUrl(origin, id))
    return { job_id: id }
  },
  emptyTrash: async (_, { principal, origin, reply }) => {
    demand(principal, 'trash.empty')
    const id = await database.transaction((tx) => startEmptying(tx, { actorId: principal.id }))
    reply.header('location', taskUrl(origin, id))
    return { job_id: id }
  },
  purgeAsset: async ({ params }, { principal }) => {
    demand(principal, 'trash.empty')
    await database.transaction((tx) =>
      purgeAsset(tx, { id: params.id, visible: visibleAssets(principal, 'trash'), actorId: principal.id }),
    )
    return undefined
  },
})
