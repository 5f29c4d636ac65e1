import type { Store } from '../store.ts'

/** One line of who did what; call it in the transaction of the deed. `who` is a person, or a process such as `dam: ops`. */
export function recordAudit(
  store: Store,
  entry: { who: string; action: string; subject?: string; detail?: Record<string, unknown>; now: Date },
): void {
  store.run(
    'insert into audit (at, who, action, subject, detail) values (?, ?, ?, ?, ?)',
    entry.now.toISOString(),
    entry.who,
    entry.action,
    entry.subject ?? '',
    JSON.stringify(entry.detail ?? {}),
  )
}

export type AuditEntry = {
  id: number
  at: string
  who: string
  action: string
  subject: string
  detail: Record<string, unknown>
}

/** Newest first; `who` and `action` match from their beginning. */
export const listAudit = (
  store: Store,
  page: { before?: number | undefined; limit: number; who?: string | undefined; action?: string | undefined },
): AuditEntry[] =>
  store
    .rows<Omit<AuditEntry, 'detail'> & { detail: string }>(
      `select id, at, who, action, subject, detail from audit
       where (? = 0 or id < ?) and substr(who, 1, length(?)) = ? and substr(action, 1, length(?)) = ? order by id desc limit ?`,
      page.before ?? 0,
      page.before ?? 0,
      page.who ?? '',
      page.who ?? '',
      page.action ?? '',
      page.action ?? '',
      page.limit,
    )
    .map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }))
