import type { Release } from '../releases/release.ts'
import type { Store } from '../store.ts'
import { dayMs, type GatePolicy } from './gate-policy.ts'
import { recordGate } from './gate-store.ts'
import { type GateKind, gateKinds } from './gate.ts'
import type { Commit } from './review/commits.ts'
import { areSamePerson, namesOf, type Voucher, voucherText } from './second-person.ts'

/** What a waiver puts at risk, in the words of the plan. */
export const risks: Record<GateKind, string> = {
  reviewed: 'Code that nobody but its author has read goes live.',
  tests: 'What the tests would have caught reaches the users first.',
  security: 'A known hole or a leaked secret may go live.',
  performance: 'The release may be too slow for the users, or too large for the machine.',
  migrations: 'A change of the schema may fail half-way, or leave no way back.',
  backup: 'What is lost in the database during this deployment cannot be brought back.',
  rollback: 'If the release is bad there is no ready way back; the promised minutes do not hold.',
}

export type WaiverRequest = {
  environment: string
  kind: GateKind
  by: Voucher
  reason: string
  lifetimeMs: number
  /** Who asks for the deployment. */
  requestedBy: string
}

/**
 * Lets one gate of one release pass in one environment for a while. Throws unless somebody else than the one who asks and the
 * authors of the release's commits says so, with a reason and an end. Returns when it ends.
 */
export function waiveGate(
  options: { store: Store; policy: GatePolicy; release: Release; commits: readonly Commit[] },
  request: WaiverRequest,
  now: Date,
): Date {
  const { store, policy, release } = options
  const { environment, kind, by, lifetimeMs, requestedBy } = request
  const reason = request.reason.trim()
  const names = namesOf(store, by.name)
  if (areSamePerson(names, namesOf(store, requestedBy))) {
    throw new Error(`A waiver needs a second person: ${by.name} is who asks for the deployment.`)
  }
  const author = authorsOf(options.commits).find((one) => areSamePerson(names, namesOf(store, one)))
  if (author) throw new Error(`A waiver needs a second person: ${by.name} wrote commits of ${release.tag} (${author}).`)
  if (reason.length < policy.waiverReasonLength) {
    throw new Error(
      `Say why, in at least ${policy.waiverReasonLength} characters: --reason "…". It is shown in every plan.`,
    )
  }
  if (!(lifetimeMs > 0) || lifetimeMs > policy.waiverDays * dayMs) {
    throw new Error(`A waiver ends after at most ${policy.waiverDays} days: --expires 4h, --expires 2d.`)
  }
  const expiresAt = new Date(now.getTime() + lifetimeMs)
  recordGate(
    store,
    {
      kind,
      digest: release.digest,
      environment,
      verdict: 'waived',
      evidence: {
        summary: `waived because: ${reason}. Risk: ${risks[kind]}`,
        details: {
          reason,
          risk: risks[kind],
          title: gateKinds[kind],
          requestedBy,
          isAuthenticated: by.isAuthenticated,
        },
      },
      by: voucherText(by),
      expiresAt: expiresAt.toISOString(),
    },
    now,
  )
  return expiresAt
}

/** Names and addresses of everybody who wrote a part. */
export const authorsOf = (commits: readonly Commit[]): string[] => [
  ...new Set(commits.flatMap(({ authors }) => authors.flatMap(({ name, email }) => [`${name} <${email}>`]))),
]
