import { Problem } from '@dam/contract'
import { recordAudit } from '../audit/audit.ts'
import { deleteAnalysis, findAnalysis } from '../engines/analysis-store.ts'
import { type Answer, askJudge } from '../engines/ask-judge.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import type { Handlers } from './handler.ts'

export type JudgeHandlerDeps = { store: Store; policy: () => Policy; prometheusUrl: string | undefined }

export type JudgeRoutes = 'askJudge' | 'getAnalysis' | 'forgetAnalysis'

export function judgeHandlers({ store, policy, prometheusUrl }: JudgeHandlerDeps): Pick<Handlers, JudgeRoutes> {
  const missing = (id: string): Problem => new Problem('not-found', `Nobody has asked the judge about ${id}.`)
  return {
    askJudge: ({ params, body }, { now }) =>
      askJudge({ store, policy: policy(), prometheusUrl }, params.analysis, body, now),
    getAnalysis: ({ params }) => {
      const row = findAnalysis(store, params.analysis)
      if (!row || row.answer === '{}') throw missing(params.analysis)
      return JSON.parse(row.answer) as Answer
    },
    forgetAnalysis: ({ params }, { principal, now }) =>
      store.transaction(() => {
        if (!deleteAnalysis(store, params.analysis)) throw missing(params.analysis)
        const subject = `analysis:${params.analysis}`
        recordAudit(store, { who: principal.username, action: 'judge.forgotten', subject, now })
        return undefined
      }),
  }
}
