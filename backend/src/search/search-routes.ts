import type { Database } from '@dam/platform/database'
import type { SummaryCache } from '../assets/summary-cache.ts'
import type { Handlers } from '../http/handler.ts'
import { accessLevelOf, demand } from '../people/access.ts'
import { searchAssets } from './search-assets.ts'

export type SearchDeps = {
  database: Database
  summaries: SummaryCache
  signals: { searchDone(outcome: 'found' | 'empty' | 'failed', durationMs: number): void }
}

export const searchHandlers = ({ database, summaries, signals }: SearchDeps): Pick<Handlers, 'searchAssets'> => ({
  searchAssets: async ({ body, query }, { principal, origin, reply }) => {
    demand(principal, 'asset.read')
    const startedAt = performance.now()
    const limit = query.limit ?? body.limit
    const offset = query.offset ?? body.offset
    try {
      const found = await searchAssets(database, principal, { ...body, limit, offset })
      const results = await summaries.arrayText(database, found.rows, { origin, accessLevel: accessLevelOf(principal) })
      signals.searchDone(found.count > 0 ? 'found' : 'empty', performance.now() - startedAt)
      const link = (at: number): string =>
        JSON.stringify(`${origin}/api/v4/dam/assets/search/?limit=${limit}&offset=${at}`)
      const next = found.rows.length === limit && offset + limit < found.count ? link(offset + limit) : null
      const previous = offset > 0 ? link(Math.max(0, offset - limit)) : null
      const estimate = found.isEstimate ? '"count_is_estimate":true,' : ''
      const text = `{"count":${found.count},${estimate}"next":${next},"previous":${previous},"results":${results},"facets":${JSON.stringify(found.facets)}}`
      return reply.type('application/json; charset=utf-8').send(text)
    } catch (error) {
      signals.searchDone('failed', performance.now() - startedAt)
      throw error
    }
  },
})
