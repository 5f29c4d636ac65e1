import type { Database } from '@dam/platform/database'
import type { Handlers } from '../http/handler.ts'
import { pageOf } from '../http/page.ts'
import { listTags } from './tag-store.ts'

export type TagDeps = { database: Database }

export const tagHandlers = ({ database }: TagDeps): Pick<Handlers, 'listTags'> => ({
  listTags: async ({ query }, { request, origin }) => {
    const pageSize = query.page_size ?? 50
    const page = query.page ?? 1
    const { total, tags } = await listTags(database, { q: query.q, limit: pageSize, offset: (page - 1) * pageSize })
    return pageOf({ results: tags, count: total, page, pageSize, origin, url: request.url })
  },
})
