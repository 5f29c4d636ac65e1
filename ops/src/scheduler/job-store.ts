import type { Store } from '../store.ts'

/** Gives a job its first due time; one that is known keeps its own, so that what was missed is caught up. */
export const planJob = (store: Store, name: string, dueAt: Date): number =>
  store.run(
    'insert into scheduled_job (name, due_at) values (?, ?) on conflict (name) do nothing',
    name,
    dueAt.toISOString(),
  )

/** Takes a due job for this runner, or says false: not due, or another runner has it. */
export const claimJob = (
  store: Store,
  { name, runner, now, boundMs }: { name: string; runner: string; now: Date; boundMs: number },
): boolean => {
  const at = now.toISOString()
  // Reading first keeps an idle scheduler from taking the write lock.
  const isDue = store.row(
    'select 1 from scheduled_job where name = ? and due_at <= ? and (lease_until is null or lease_until < ?)',
    name,
    at,
    at,
  )
  if (!isDue) return false
  const leaseUntil = new Date(now.getTime() + boundMs).toISOString()
  return (
    store.run(
      `update scheduled_job set runner = ?, lease_until = ?, last_started_at = ?
       where name = ? and due_at <= ? and (lease_until is null or lease_until < ?)`,
      runner,
      leaseUntil,
      at,
      name,
      at,
      at,
    ) === 1
  )
}

/** Writes the outcome and the next due time, unless another runner has taken the job over. */
export const finishJob = (
  store: Store,
  { name, runner, dueAt, outcome, now }: { name: string; runner: string; dueAt: Date; outcome: string; now: Date },
): number =>
  store.run(
    `update scheduled_job set due_at = ?, lease_until = null, runner = '', last_ended_at = ?, last_outcome = ?
     where name = ? and runner = ?`,
    dueAt.toISOString(),
    now.toISOString(),
    outcome,
    name,
    runner,
  )

export type JobRow = {
  name: string
  dueAt: string
  runner: string
  lastStartedAt: string | null
  lastEndedAt: string | null
  lastOutcome: string
}

export const listJobs = (store: Store): JobRow[] =>
  store.rows<JobRow>(
    `select name, due_at as "dueAt", runner, last_started_at as "lastStartedAt", last_ended_at as "lastEndedAt",
       last_outcome as "lastOutcome" from scheduled_job order by name`,
  )
