import { hostname } from 'node:os'
import { processIdentity } from '@dam/platform/process-identity'
import { recordAudit } from '../audit/audit.ts'
import type { Store } from '../store.ts'

export type LeaseHolder = { pid: number; startedAt: string; host: string; who: string; purpose: string; since: string }

export type Lease = {
  environment: string
  token: number
  holder: LeaseHolder | null
  expiresAt: string
  preemptBy: string
}

export const leaseTimeToLiveMs = 30_000

/** Somebody else holds the lease, or took it from us. */
export class LeaseError extends Error {
  override readonly name = 'LeaseError'
}

type Row = { environment: string; token: number; holder: string; expiresAt: string; preemptBy: string }

export const readLease = (store: Store, environment: string): Lease | undefined => {
  const row = store.row<Row>(
    'select environment, token, holder, expires_at as expiresAt, preempt_by as preemptBy from lease where environment = ?',
    environment,
  )
  return row && { ...row, holder: row.holder === '' ? null : (JSON.parse(row.holder) as LeaseHolder) }
}

/** The one who holds the lease now; null when it is free: given back, run out, or its holder on this machine is dead. */
export function livingHolder(store: Store, environment: string, now: Date): LeaseHolder | null {
  const lease = readLease(store, environment)
  if (!lease?.holder || lease.expiresAt <= now.toISOString()) return null
  const { host, pid, startedAt } = lease.holder
  return host === hostname() && processIdentity(pid)?.startedAt !== startedAt ? null : lease.holder
}

/** Takes the lease and returns its token, which is larger than any before. Throws LeaseError that says who holds it and since when. */
export function acquireLease(
  store: Store,
  options: { environment: string; who: string; purpose: string; now: Date },
): number {
  const { environment, who, purpose, now } = options
  const startedAt = processIdentity(process.pid)?.startedAt ?? ''
  return store.transaction(() => {
    const holder = livingHolder(store, environment, now)
    if (holder) {
      throw new LeaseError(
        `${environment} is locked: ${holder.who}, ${holder.purpose}, process ${holder.pid} on ${holder.host}, since ${holder.since}. Wait for it, or roll back with ./dam rollback ${environment}.`,
      )
    }
    const token = (readLease(store, environment)?.token ?? 0) + 1
    const mine: LeaseHolder = { pid: process.pid, startedAt, host: hostname(), who, purpose, since: now.toISOString() }
    store.run(
      `insert into lease (environment, token, holder, expires_at, preempt_by) values (?, ?, ?, ?, '')
       on conflict (environment) do update set token = excluded.token, holder = excluded.holder, expires_at = excluded.expires_at, preempt_by = ''`,
      environment,
      token,
      JSON.stringify(mine),
      expiry(now),
    )
    return token
  })
}

/** Every step that changes something calls it first in its transaction. Throws LeaseError when the lease is not ours any more. */
export function assertHolding(store: Store, environment: string, token: number): void {
  const lease = readLease(store, environment)
  if (lease?.token === token && lease.holder) return
  throw new LeaseError(
    `The lock of ${environment} was taken over (token ${token}, now ${lease?.token ?? 'none'}); this process stops.`,
  )
}

/** False when the lease is not ours any more. */
export const renewLease = (store: Store, environment: string, token: number, now: Date): boolean =>
  store.run(
    `update lease set expires_at = ? where environment = ? and token = ? and holder <> ''`,
    expiry(now),
    environment,
    token,
  ) === 1

/**
 * The next token, still ours: each pointer carries one of its own, so that the front refuses one that was overtaken.
 * Call inside a transaction.
 */
export function advanceToken(store: Store, environment: string, token: number): number {
  assertHolding(store, environment, token)
  store.run('update lease set token = ? where environment = ?', token + 1, environment)
  return token + 1
}

export const releaseLease = (store: Store, environment: string, token: number): void => {
  store.run(`update lease set holder = '', preempt_by = '' where environment = ? and token = ?`, environment, token)
}

/** Takes the lease from whoever holds it; their next step is refused. Returns who that was. */
export function breakLease(
  store: Store,
  options: { environment: string; who: string; reason: string; now: Date },
): LeaseHolder | null {
  const { environment, who, reason, now } = options
  if (reason.trim() === '') throw new Error('Breaking a lock needs a reason: --reason "…"')
  return store.transaction(() => {
    const holder = readLease(store, environment)?.holder ?? null
    store.run(`update lease set token = token + 1, holder = '', preempt_by = '' where environment = ?`, environment)
    recordAudit(store, {
      who,
      action: 'lease.break',
      subject: `environment:${environment}`,
      detail: { reason, holder },
      now,
    })
    return holder
  })
}

/** Asks the holder to stop at its next step. */
export const requestPreemption = (store: Store, environment: string, who: string): void => {
  store.run(`update lease set preempt_by = ? where environment = ? and holder <> ''`, who, environment)
}

const expiry = (now: Date): string => new Date(now.getTime() + leaseTimeToLiveMs).toISOString()
