import { Problem } from '@dam/contract'
import type { OpsParsedRequest, OpsResponseOf } from '@dam/contract/ops-types'
import type { SecondCounts } from '../judge/bake-evidence.ts'
import { defaultBakePolicy } from '../judge/bake-policy.ts'
import { type Judged, judge } from '../judge/judge.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { addCounts, type AnalysisRow, beginAnalysis, findAnalysis, listCounts, noteAnswer } from './analysis-store.ts'
import { countsFromPrometheus } from './prometheus-counts.ts'

export type Question = OpsParsedRequest<'askJudge'>['body']
export type Answer = OpsResponseOf<'askJudge'>

export type JudgeDeps = { store: Store; policy: Policy; prometheusUrl: string | undefined }

/** The old release's hour before, from which the judge learns what is usual. */
const learnedSeconds = 3_600
const stepSeconds = 5

/**
 * Judges a release of another engine. The first call of an id begins its bake, further ones go on with it, across restarts of this process.
 * `good` and `bad` are final. An id that nobody asked about for an hour begins anew, unless its release was bad: that stays until a person
 * lets it be judged again. Silence, of people or of Prometheus, is `inconclusive`.
 */
export async function askJudge(
  { store, policy, prometheusUrl }: JudgeDeps,
  id: string,
  question: Question,
  now: Date,
): Promise<Answer> {
  const bake = policy.deploy.bake.production
  const source = question.counts ? 'counts' : 'prometheus'
  if (source === 'prometheus' && prometheusUrl === undefined)
    throw new Problem('not-possible-now', 'Set DAM_PROMETHEUS_URL for the ops process, or send counts.')
  const row = store.transaction(() => {
    const known = findAnalysis(store, id)
    const isAbandoned =
      known && known.verdict !== 'bad' && now.getTime() - Date.parse(known.askedAt) > bake.suspectUntil
    if (known && !isAbandoned) {
      demandSame(known, question, source)
      return known
    }
    const bakeMs = (question.bakeSeconds ?? bake.duration / 1000) * 1000
    const endsAt = new Date(now.getTime() + bakeMs)
    beginAnalysis(store, { id, release: question.release, control: question.control ?? null, source, now, endsAt })
    return findAnalysis(store, id)
  })
  if (!row) throw new Error(`the analysis ${id} was not written`)
  if (row.verdict !== '') return JSON.parse(row.answer) as Answer
  const unknown = ['new errors', 'readiness']
  const seen = question.counts
    ? pushedCounts(store, row, question.counts, now)
    : await askedCounts(row, { url: prometheusUrl ?? '', question, policy, now }).catch((error: unknown) => {
        unknown.push(`requests: ${error instanceof Error ? error.message : String(error)}`)
        return null
      })
  const { fresh, control, before } = seen ?? { fresh: [], control: null, before: [] }
  const judged = judge(
    {
      cutOverAt: Date.parse(row.startedAt),
      now: now.getTime(),
      endsAt: Date.parse(row.endsAt),
      before,
      control: control && { seconds: control, readiness: [], web: null, worker: null },
      fresh: { seconds: fresh, readiness: [], web: null, worker: null },
      topUp: [],
      newErrors: [],
      databaseAnswers: null,
      databaseOutages: [],
    },
    { ...defaultBakePolicy, bakeMs: Date.parse(row.endsAt) - Date.parse(row.startedAt) },
  )
  const answer = answerOf(row, judged, unknown)
  const verdict = answer.verdict === 'good' || answer.verdict === 'bad' ? answer.verdict : ''
  noteAnswer(store, id, { verdict, answer: JSON.stringify(answer), now })
  return answer
}

type Seen = { fresh: SecondCounts[]; control: SecondCounts[] | null; before: SecondCounts[] }

function pushedCounts(store: Store, row: AnalysisRow, counts: NonNullable<Question['counts']>, now: Date): Seen {
  const second = Math.floor(now.getTime() / 1000)
  return store.transaction(() => {
    addCounts(store, row.id, 'fresh', { second, ...counts.fresh })
    if (counts.control) addCounts(store, row.id, 'control', { second, ...counts.control })
    const control = listCounts(store, row.id, 'control')
    return { fresh: listCounts(store, row.id, 'fresh'), control: control.length > 0 ? control : null, before: [] }
  })
}

async function askedCounts(
  row: AnalysisRow,
  options: { url: string; question: Question; policy: Policy; now: Date },
): Promise<Seen> {
  const { url, question, policy, now } = options
  const from = Math.floor(Date.parse(row.startedAt) / 1000)
  const byRelease = await countsFromPrometheus({
    url,
    labels: question.labels ?? {},
    from: from - learnedSeconds,
    until: Math.floor(now.getTime() / 1000),
    stepSeconds,
    slowerThanMs: policy.deploy.slowerThan,
  })
  const others = [...byRelease].filter(([release]) =>
    row.control === null ? release !== row.release : release === row.control,
  )
  const control = addedUp(others.map(([, counts]) => counts))
  return {
    fresh: (byRelease.get(row.release) ?? []).filter(({ second }) => second > from),
    control: others.length > 0 ? control.filter(({ second }) => second > from) : null,
    before: control.filter(({ second }) => second <= from),
  }
}

function addedUp(streams: SecondCounts[][]): SecondCounts[] {
  const bySecond = new Map<number, SecondCounts>()
  for (const { second, total, bad, slow } of streams.flat()) {
    const sum = bySecond.get(second) ?? { second, total: 0, bad: 0, slow: 0 }
    bySecond.set(second, { second, total: sum.total + total, bad: sum.bad + bad, slow: sum.slow + slow })
  }
  return [...bySecond.values()].toSorted((a, b) => a.second - b.second)
}

function demandSame(row: AnalysisRow, question: Question, source: AnalysisRow['source']): void {
  if (row.release === question.release && row.source === source) return
  throw new Problem(
    'not-possible-now',
    `${row.id} judges ${row.release} by ${row.source}. Use another id for ${question.release} by ${source}.`,
  )
}

function answerOf(row: AnalysisRow, { judgement, trace }: Judged, unknown: string[]): Answer {
  const sum = ({ sum: { now, requests, failures }, baseline }: Judged['trace']['errors']) => ({
    now: Math.round(now * 1000) / 1000,
    requests,
    failures,
    tolerated: Math.round(baseline.goodRate * 10_000) / 10_000,
  })
  return {
    analysis: row.id,
    release: row.release,
    verdict: judgement.verdict,
    because: judgement.verdict === 'bad' ? `${judgement.because}: ${judgement.detail}` : judgement.because,
    moreNeeded: judgement.verdict === 'inconclusive' ? judgement.moreNeeded : 0,
    source: row.source,
    startedAt: row.startedAt,
    endsAt: row.endsAt,
    sums: { badAt: trace.badAt, floor: trace.floor, errors: sum(trace.errors), slowness: sum(trace.slowness) },
    control: trace.control,
    unknown,
  }
}
