import type { Database } from '@dam/platform/database'
import type { Handlers } from '../http/handler.ts'
import { saveRating } from './feedback-store.ts'

/** `release`: the one that answers, and so the one that is rated. */
export const feedbackHandlers = (deps: { database: Database; release: string }): Pick<Handlers, 'giveFeedback'> => ({
  giveFeedback: async ({ body }, { principal }) => {
    const { rating, comment = '' } = body
    await saveRating(deps.database, { accountId: principal.id, rating, comment: comment.trim(), release: deps.release })
    return undefined
  },
})
