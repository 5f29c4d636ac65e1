import type { Release } from '../releases/release.ts'
import { evaluateBackup } from './evaluate-backup.ts'
import { evaluateRollback } from './evaluate-rollback.ts'
import type { GateDeps } from './gate-deps.ts'
import { dayMs, type GatePolicy, hourMs, minuteMs } from './gate-policy.ts'
import { type GateRecord, newestFinding, newestWaiver } from './gate-store.ts'
import { type GateKind, gateKinds, type GateStatus } from './gate.ts'
import { areSamePerson, claimedNote, namesOf } from './second-person.ts'

type Question = {
  release: Release
  environment: string
  now: Date
  /** Who asks for the deployment, where that is known: their own waivers do not count. */
  requestedBy?: string
}

/** What a gate is before waivers are looked at. `recordId` is null for what was computed just now. */
export type Assessment = Omit<GateStatus, 'kind' | 'title'> & { recordId: number | null }

const kinds = Object.keys(gateKinds) as GateKind[]

/**
 * The seven lines of the checklist, in its order, for one artifact in one environment. Nothing passes without evidence: a gate
 * with no record is `unknown`, and so is one whose answer could not be had.
 */
export async function evaluateGates(deps: GateDeps, question: Question): Promise<GateStatus[]> {
  const statuses: GateStatus[] = []
  for (const kind of kinds) {
    const assessment = await assess(deps, kind, question).catch((error: unknown) =>
      unknownBecause(messageOf(error), remedyOf(kind, question)),
    )
    statuses.push(withWaiver(deps, kind, question, assessment))
  }
  return statuses
}

/** Whether a deployment may go on. */
export const gatesAreOpen = (statuses: readonly GateStatus[]): boolean =>
  kinds.every((kind) => statuses.some((status) => status.kind === kind && isOpen(status)))

export const isOpen = ({ state }: GateStatus): boolean => state === 'pass' || state === 'waived'

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function unknownBecause(because: string, remedy: string): Assessment {
  return {
    state: 'unknown',
    evidence: { summary: because },
    by: '',
    at: null,
    expiresAt: null,
    remedy,
    recordId: null,
  }
}

async function assess(deps: GateDeps, kind: GateKind, question: Question): Promise<Assessment> {
  const { release, environment, now } = question
  switch (kind) {
    case 'reviewed':
      return assessReview(deps, question)
    case 'tests':
    case 'security':
    case 'performance':
    case 'migrations':
      return assessRecord(deps, kind, question)
    case 'backup':
      return evaluateBackup(await deps.latestBackup(environment, now), environment, deps.policy, now)
    case 'rollback':
      return evaluateRollback(
        await deps.planRollback(environment, release, now),
        environment,
        release,
        deps.policy,
        now,
      )
  }
}

/** A review is bound to the commit and does not age; one that is not on record is looked for now. */
async function assessReview(deps: GateDeps, question: Question): Promise<Assessment> {
  const { release, now } = question
  const record = newestFinding(deps.store, { kind: 'reviewed', digest: release.digest, environment: '' })
  if (record?.verdict === 'pass') return assessRecord(deps, 'reviewed', question)
  const { verdict, evidence, by } = await deps.review(release, now)
  const isProven = verdict === 'pass' && evidence.summary !== '' && (evidence.details ?? evidence.link) !== undefined
  return {
    state: verdict === 'pass' && !isProven ? 'unknown' : verdict,
    evidence,
    by,
    at: now.toISOString(),
    expiresAt: null,
    remedy: isProven ? null : remedyOf('reviewed', question),
    recordId: null,
  }
}

function assessRecord(deps: GateDeps, kind: GateKind, question: Question): Assessment {
  const { release, environment, now } = question
  const remedy = remedyOf(kind, question)
  const record = newestFinding(deps.store, { kind, digest: release.digest, environment })
  if (!record) return unknownBecause(`not looked at for this artifact (${release.digest.slice(0, 12)})`, remedy)
  const { id: recordId, evidence, by, at } = record
  const expiresAt = expiryOf(record.at, record.expiresAt, lifetimeMs(kind, deps.policy))
  const base = { evidence, by, at, expiresAt, recordId }
  if (Date.parse(at) > now.getTime() + minuteMs) {
    return { ...base, state: 'unknown', evidence: { ...evidence, summary: `dated in the future: ${at}` }, remedy }
  }
  if (record.verdict !== 'pass') return { ...base, state: 'fail', remedy }
  if (expiresAt !== null && Date.parse(expiresAt) <= now.getTime()) return { ...base, state: 'stale', remedy }
  if (evidence.summary === '' || !evidence.hash) {
    return { ...base, state: 'unknown', evidence: { ...evidence, summary: 'on record without evidence' }, remedy }
  }
  return { ...base, state: 'pass', remedy: null }
}

/** How long a record of a kind is good for; null: as long as the artifact. */
export function lifetimeMs(kind: GateKind, policy: GatePolicy): number | null {
  switch (kind) {
    case 'tests':
      return policy.testsHours * hourMs
    case 'security':
      return policy.securityDays * dayMs
    case 'performance':
      return policy.performanceDays * dayMs
    case 'reviewed':
    case 'migrations':
    case 'backup':
    case 'rollback':
      return null
  }
}

/** The earlier of what was written and what the policy of today allows. */
function expiryOf(at: string, written: string | null, lifetime: number | null): string | null {
  const allowed = lifetime === null ? null : new Date(Date.parse(at) + lifetime).toISOString()
  if (written === null || allowed === null) return written ?? allowed
  return written < allowed ? written : allowed
}

/** A waiver opens what does not pass, until it expires, or until something was found that its giver had not seen. */
function withWaiver(deps: GateDeps, kind: GateKind, question: Question, assessment: Assessment): GateStatus {
  const { recordId, ...status } = { kind, title: gateKinds[kind], ...assessment }
  if (status.state === 'pass') return status
  const { release, environment, now } = question
  const waiver = newestWaiver(deps.store, { kind, digest: release.digest, environment })
  const isOwn = waiver !== null && question.requestedBy !== undefined && isByPerson(deps, waiver, question.requestedBy)
  const isInForce =
    waiver !== null &&
    waiver.expiresAt !== null &&
    waiver.at <= now.toISOString() &&
    waiver.expiresAt > now.toISOString()
  if (isOwn || !isInForce || (recordId !== null && recordId > waiver.id && status.state === 'fail')) return status
  return {
    ...status,
    state: 'waived',
    evidence: {
      ...waiver.evidence,
      summary: `${waiver.evidence.summary}; without it: ${assessment.state}, ${assessment.evidence.summary}`,
    },
    by: waiver.by,
    at: waiver.at,
    expiresAt: waiver.expiresAt,
  }
}

const isByPerson = ({ store }: GateDeps, waiver: GateRecord, person: string): boolean =>
  areSamePerson(namesOf(store, waiver.by.replace(claimedNote, '')), namesOf(store, person))

function remedyOf(kind: GateKind, { release, environment }: Question): string {
  switch (kind) {
    case 'reviewed':
      return `./dam gate attest reviewed ${release.tag} --digest ${release.digest.slice(0, 12)} --by <second person>`
    case 'tests':
    case 'security':
    case 'performance':
    case 'migrations':
      return `./dam gate run ${kind} ${release.tag}`
    case 'backup':
      return `./dam backup ${environment}`
    case 'rollback':
      return `./dam rollback ${environment} --plan`
  }
}
