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
