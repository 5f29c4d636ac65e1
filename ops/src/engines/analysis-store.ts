import type { SecondCounts } from '../judge/bake-evidence.ts'
import type { Store } from '../store.ts'

export type AnalysisSource = 'prometheus' | 'counts'

/** A release that another engine brings out and asks the judge about. */
export type AnalysisRow = {
  id: string
  release: string
  /** Null: every other release that is seen. */
  control: string | null
  source: AnalysisSource
  startedAt: string
  endsAt: string
  askedAt: string
  /** Empty until it is final. */
  verdict: '' | 'good' | 'bad'
  /** JSON of the last answer. */
  answer: string
}

export type Side = 'fresh' | 'control'

const columns = `id, release, control, source, started_at as startedAt, ends_at as endsAt, asked_at as askedAt, verdict, answer`

export function findAnalysis(store: Store, id: string): AnalysisRow | undefined {
  const row = store.row<AnalysisRow>(`select ${columns} from engine_analysis where id = ?`, id)
  return row && { ...row, control: row.control || null }
}

export function beginAnalysis(
  store: Store,
  row: { id: string; release: string; control: string | null; source: AnalysisSource; now: Date; endsAt: Date },
): void {
  deleteAnalysis(store, row.id)
  const now = row.now.toISOString()
  store.run(
    `insert into engine_analysis (id, release, control, source, started_at, ends_at, asked_at) values (?, ?, ?, ?, ?, ?, ?)`,
    row.id,
    row.release,
    row.control ?? '',
    row.source,
    now,
    row.endsAt.toISOString(),
    now,
  )
}

export function noteAnswer(
  store: Store,
  id: string,
  note: { verdict: AnalysisRow['verdict']; answer: string; now: Date },
): void {
  store.run(
    `update engine_analysis set asked_at = ?, verdict = ?, answer = ? where id = ?`,
    note.now.toISOString(),
    note.verdict,
    note.answer,
    id,
  )
}

/** Whether there was one. */
export const deleteAnalysis = (store: Store, id: string): boolean =>
  store.run('delete from engine_analysis where id = ?', id) > 0

const keptDays = 35

/** Those of bad releases stay: a person has to let them go. */
export function deleteOldAnalyses(store: Store, now: Date): void {
  const before = new Date(now.getTime() - keptDays * 86_400_000).toISOString()
  store.run(`delete from engine_analysis where asked_at < ? and verdict <> 'bad'`, before)
}

export function addCounts(store: Store, id: string, side: Side, { second, total, bad, slow }: SecondCounts): void {
  store.run(
    `insert into engine_count (analysis, side, second, total, bad, slow) values (?, ?, ?, ?, ?, ?)
     on conflict do update set total = total + excluded.total, bad = bad + excluded.bad, slow = slow + excluded.slow`,
    id,
    side,
    second,
    total,
    bad,
    slow,
  )
}

export const listCounts = (store: Store, id: string, side: Side): SecondCounts[] =>
  store.rows<SecondCounts>(
    `select second, total, bad, slow from engine_count where analysis = ? and side = ? order by second`,
    id,
    side,
  )
