import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { runBackfill } from './backfill.ts'
import { parseBackfill } from './parse-backfill.ts'
import { dropInvalidIndex, isNeedless } from './concurrent-index.ts'
import { finishProgress, readProgress, recordStatement } from './ledger.ts'
import { label } from './migration.ts'
import { statementsWithOffsets } from './statements.ts'

export type Step = { direction: 'up' | 'down'; number: number; name: string; inTransaction: boolean }

export type PlannedStep = Step & {
  app: string
  sql: string
  record: (client: pg.Client) => Promise<void>
  /** Undoes what was never finished: what its statements do not find is undone already. */
  isHalfDone: boolean
}

export type StepOptions = { lockTimeoutMs: number; log?: ((message: string) => void) | undefined }

const attempts = 10
/** `create index concurrently` waits for every older transaction, and holds nobody up meanwhile. */
const patientLockTimeoutMs = 60_000

/**
 * Does one step, again when a table is in use. One transaction when the migration allows it; else statement by statement, each noted in
 * the database with its effect where it can be, so that a killed run goes on behind the last one.
 */
export async function runStep(client: pg.Client, options: StepOptions, step: PlannedStep): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (step.inTransaction) await inTransaction(client, options, step)
      else await oneByOne(client, options, step)
      return
    } catch (error) {
      const state = error instanceof pg.DatabaseError ? error.code : undefined
      if (state === '55P03' && attempt < attempts) {
        options.log?.(`${label(step)}: a table is in use, trying again`)
        await sleep(Math.min(250 * 2 ** attempt, 5_000))
        continue
      }
      throw explained(error, step)
    }
  }
}

type Failing = { error: unknown; offset: number }

async function inTransaction(client: pg.Client, { lockTimeoutMs }: StepOptions, step: PlannedStep): Promise<void> {
  await client.query('begin')
  try {
    let waitedMs = 0
    for (const { text, offset } of statementsWithOffsets(step.sql)) {
      // Writers wait behind the locks it has already while it waits for the next one: all waits share one bound.
      await client.query(`set local lock_timeout = ${Math.max(50, Math.round(lockTimeoutMs - waitedMs))}`)
      const from = performance.now()
      await client.query(text).catch((error: unknown) => {
        throw Object.assign(new StatementFailure(), { failing: { error, offset } satisfies Failing })
      })
      waitedMs += performance.now() - from
    }
    await step.record(client)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw withPosition(error)
  }
}

class StatementFailure extends Error {
  failing: Failing = { error: undefined, offset: 0 }
}

/** Positions count from the start of the section, not of the statement. */
function withPosition(error: unknown): unknown {
  if (!(error instanceof StatementFailure)) return error
  const { error: cause, offset } = error.failing
  if (cause instanceof pg.DatabaseError && cause.position) cause.position = String(Number(cause.position) + offset)
  return cause
}

async function oneByOne(client: pg.Client, { lockTimeoutMs, log }: StepOptions, step: PlannedStep): Promise<void> {
  const statements = statementsWithOffsets(step.sql)
  const done = await readProgress(client, step)
  if (done.size > 0) log?.(`${label(step)}: going on after ${done.size} of ${statements.length} statements`)
  for (const [index, { text }] of statements.entries()) {
    if (done.has(index)) continue
    const backfill = parseBackfill(text)
    if (backfill) {
      await runBackfill(client, { lockTimeoutMs, log }, { ...step, statement: index }, backfill)
      await recordStatement(client, step, index)
    } else if (runsAlone(text)) {
      await client.query(`set lock_timeout = ${patientLockTimeoutMs}`)
      // What a killed run left of this statement: an index that is not valid, or one it finished and could not note.
      await dropInvalidIndex(client, text)
      if (!(await isNeedless(client, text))) await run(client, step, text)
      await recordStatement(client, step, index)
    } else {
      await client.query('begin')
      try {
        await client.query(`set local lock_timeout = ${lockTimeoutMs}`)
        await client.query('savepoint statement')
        await run(client, step, text)
        await recordStatement(client, step, index)
        await client.query('commit')
      } catch (error) {
        await client.query('rollback').catch(() => undefined)
        throw error
      }
    }
  }
  await client.query('begin')
  try {
    if (!step.isHalfDone) await step.record(client)
    await finishProgress(client, step)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

/** Undefined table, column, object, function. */
const notThere = ['42P01', '42703', '42704', '42883']

async function run(client: pg.Client, step: PlannedStep, text: string): Promise<void> {
  try {
    await client.query(text)
  } catch (error) {
    const isMissing = error instanceof pg.DatabaseError && notThere.includes(error.code ?? '')
    if (!step.isHalfDone || !isMissing) throw error
    if (!runsAlone(text)) await client.query('rollback to savepoint statement')
  }
}

/** Statements that PostgreSQL refuses in a transaction, or that commit by themselves. */
const runsAlone = (text: string): boolean =>
  /\bconcurrently\b/i.test(text) || /^\s*(?:vacuum|call|reindex|cluster|alter\s+system)\b/i.test(text)

function explained(error: unknown, step: PlannedStep): Error {
  const reason = error instanceof Error ? error.message : String(error)
  const position = error instanceof pg.DatabaseError && error.position ? Number(error.position) : undefined
  const line =
    position && step.inTransaction ? `, line ${step.sql.slice(0, position).split('\n').length} of its section` : ''
  const state = step.inTransaction
    ? 'Nothing of it was kept.'
    : 'Statements before the failing one were kept; the next run goes on behind them.'
  return new Error(`Migration ${label(step)} (${step.direction}) failed${line}: ${reason}. ${state}`, { cause: error })
}
