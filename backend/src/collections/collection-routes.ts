import { Problem, type Collection } from '@dam/contract'
import {
  isForeignKeyViolation,
  isUniqueViolation,
  type Database,
  type Querier,
  type Transaction,
} from '@dam/platform/database'
import { listAssets } from '../assets/list-assets.ts'
import type { SummaryCache } from '../assets/summary-cache.ts'
import { recordAudit, recordEvents } from '../events/record.ts'
import type { Handlers } from '../http/handler.ts'
import { demand } from '../people/access.ts'
import {
  deleteCollection,
  findCollection,
  insertCollection,
  isAbove,
  listCollections,
  lockTree,
  updateCollection,
  type CollectionRow,
} from './collection-store.ts'

export type CollectionDeps = { database: Database; summaries: SummaryCache }

type Routes =
  | 'listCollections'
  | 'createCollection'
  | 'getCollection'
  | 'updateCollection'
  | 'deleteCollection'
  | 'listCollectionAssets'

export function collectionHandlers({ database, summaries }: CollectionDeps): Pick<Handlers, Routes> {
  return {
    listCollections: async (_, { principal, origin }) => {
      demand(principal, 'collection.read')
      const rows = await listCollections(database, mostCollections, 0)
      return {
        count: rows[0]?.total ?? 0,
        next: null,
        previous: null,
        results: rows.map((row) => present(row, origin)),
      }
    },
    createCollection: async ({ body }, { principal, origin, reply }) => {
      demand(principal, 'collection.edit')
      const name = cleanName(body.name)
      const id = await database.transaction(async (tx) => {
        if (body.parent !== null) await existing(tx, body.parent)
        const made = await sayingWhatIsWrong(name, () =>
          insertCollection(tx, { name, parentId: body.parent, ownerId: principal.id }),
        )
        await record(tx, principal.id, made, 'collection.created', { name, parent: body.parent })
        return made
      })
      const collection = present(await existing(database, id), origin)
      reply.header('location', collection.url)
      return collection
    },
    getCollection: async ({ params }, { principal, origin }) => {
      demand(principal, 'collection.read')
      return present(await existing(database, params.id), origin)
    },
    updateCollection: async ({ params, body }, { principal, origin }) => {
      demand(principal, 'collection.edit')
      await database.transaction(async (tx) => {
        await lockTree(tx)
        const current = await existing(tx, params.id)
        const name = body.name === undefined ? current.name : cleanName(body.name)
        const parent = body.parent === undefined ? current.parent : body.parent
        if (parent !== null) {
          await existing(tx, parent)
          if (await isAbove(tx, params.id, parent)) {
            throw new Problem('validation-failed', 'A collection cannot be moved into itself or into one below it.', {
              fields: { parent: ['This is the collection itself or one below it.'] },
            })
          }
        }
        await sayingWhatIsWrong(name, () => updateCollection(tx, params.id, { name, parentId: parent }))
        await record(tx, principal.id, params.id, 'collection.changed', {
          before: { name: current.name, parent: current.parent },
          after: { name, parent },
        })
      })
      return present(await existing(database, params.id), origin)
    },
    deleteCollection: async ({ params }, { principal }) => {
      demand(principal, 'collection.edit')
      await database.transaction(async (tx) => {
        await lockTree(tx)
        const current = await existing(tx, params.id)
        const deleted = await deleteCollection(tx, params.id)
        await record(tx, principal.id, params.id, 'collection.deleted', { path: current.path, collections: deleted })
      })
      return undefined
    },
    listCollectionAssets: async ({ params, query }, { principal, origin, request, reply }) => {
      demand(principal, 'collection.read')
      await existing(database, params.id)
      const text = await listAssets(
        { querier: database, summaries },
        { principal, scope: 'library', query, within: { collectionId: params.id }, origin, url: request.url },
      )
      return reply.type('application/json; charset=utf-8').send(text)
    },
  }
}

const mostCollections = 20_000

async function existing(querier: Querier, id: number): Promise<CollectionRow> {
  const row = await findCollection(querier, id)
  if (!row) throw new Problem('collection-not-found', 'There is no such collection.')
  return row
}

async function sayingWhatIsWrong<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isUniqueViolation(error))
      throw new Problem('already-exists', `There is a collection named “${name}” here already. Choose another name.`, {
        fields: { name: ['This name is taken here.'] },
        cause: error,
      })
    if (isForeignKeyViolation(error))
      throw new Problem('collection-not-found', 'The parent collection was deleted meanwhile.', { cause: error })
    throw error
  }
}

function cleanName(text: string): string {
  const name = text
    .normalize('NFC')
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  if (name === '')
    throw new Problem('invalid-request', 'name: write at least one visible character.', {
      fields: { name: ['Write at least one visible character.'] },
    })
  return name
}

async function record(
  tx: Transaction,
  actorId: number,
  id: number,
  action: string,
  detail: Record<string, unknown>,
): Promise<void> {
  await recordAudit(tx, [{ actorId, action, object: `collection:${id}`, detail }])
  await recordEvents(tx, [{ kind: 'collection.changed', actorId, data: { collection_id: id, action } }])
}

const present = (row: CollectionRow, origin: string): Collection => ({
  id: row.id,
  url: `${origin}/api/v4/collections/${row.id}/`,
  name: row.name,
  path: row.path,
  parent: row.parent,
  asset_count: row.asset_count,
  date_added: row.createdAt.toISOString(),
})
