import { createHash } from 'node:crypto'
import { recordAudit } from '../audit/audit.ts'
import type { Store } from '../store.ts'
import type { Evidence, GateKind } from './gate.ts'

export type GateRecord = {
  id: number
  kind: GateKind
  digest: string
  /** Empty: holds for every environment. */
  environment: string
  verdict: 'pass' | 'fail' | 'waived'
  evidence: Evidence
  by: string
  at: string
  expiresAt: string | null
}

type Row = Omit<GateRecord, 'evidence' | 'by' | 'expiresAt'> & {
  evidence: string
  by_whom: string
  expires_at: string | null
}

const columns = 'id, kind, digest, environment, verdict, evidence, by_whom, at, expires_at'

const fromRow = ({ evidence, by_whom, expires_at, ...row }: Row): GateRecord => ({
  ...row,
  evidence: JSON.parse(evidence) as Evidence,
  by: by_whom,
  expiresAt: expires_at,
})

/**
 * Records what was found for an artifact, with its audit row. Evidence without a summary and something to look at (details or a
 * link) is refused. Returns the id.
 */
export function recordGate(store: Store, record: Omit<GateRecord, 'id' | 'at'>, now: Date): number {
  const { kind, digest, environment, verdict, by, expiresAt } = record
  const { summary, details, link } = record.evidence
  if (summary.trim() === '' || (details === undefined && link === undefined)) {
    throw new Error(`A ${kind} record needs evidence: a summary, and details or a link.`)
  }
  const evidence: Evidence = { ...record.evidence, hash: record.evidence.hash ?? hashOf(details ?? link) }
  return store.transaction(() => {
    const id = store.insert(
      `insert into gate_record (kind, digest, environment, verdict, evidence, by_whom, at, expires_at)
       values (?, ?, ?, ?, ?, ?, ?, ?)`,
      kind,
      digest,
      environment,
      verdict,
      JSON.stringify(evidence),
      by,
      now.toISOString(),
      expiresAt,
    )
    recordAudit(store, {
      who: by,
      action: `gate.${verdict}`,
      subject: `release:${digest}`,
      detail: { kind, environment, record: id, summary, hash: evidence.hash },
      now,
    })
    return id
  })
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/** The newest finding, waivers apart; one for the environment or for all of them. */
export function newestFinding(
  store: Store,
  of: { kind: GateKind; digest: string; environment: string },
): GateRecord | null {
  const row = store.row<Row>(
    `select ${columns} from gate_record
     where digest = ? and kind = ? and environment in ('', ?) and verdict <> 'waived' order by id desc limit 1`,
    of.digest,
    of.kind,
    of.environment,
  )
  return row ? fromRow(row) : null
}

/** The newest waiver of a gate for this very environment, expired or not. */
export function newestWaiver(
  store: Store,
  of: { kind: GateKind; digest: string; environment: string },
): GateRecord | null {
  const row = store.row<Row>(
    `select ${columns} from gate_record
     where digest = ? and kind = ? and environment = ? and verdict = 'waived' order by id desc limit 1`,
    of.digest,
    of.kind,
    of.environment,
  )
  return row ? fromRow(row) : null
}
