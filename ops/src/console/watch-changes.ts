import type { Store } from '../store.ts'

export type Changes = Disposable & {
  /** Grows with every change any process has committed. */
  version(): number
  subscribe(listener: (topics: string[]) => void): () => void
}

const everyMs = 500

/** What a page may show, and how its newest state is told apart. */
const topics: Record<string, string> = {
  deployments: `select max(d.id) || '/' || max(d.updated_at) || '/' || coalesce((select max(id) from deployment_event), 0) as mark from deployment d`,
  pointers: `select group_concat(fencing_token || at) as mark from pointer`,
  releases: `select count(*) || '/' || coalesce(max(verdict_at), '') as mark from release`,
  gates: `select coalesce((select max(id) from gate_record), 0) || '/' || coalesce((select max(id) from attestation), 0) as mark`,
  backups: `select group_concat(id || state || size_bytes) as mark from (select * from backup order by started_at desc limit 20)`,
  drills: `select group_concat(id || state) as mark from (select * from drill order by id desc limit 20)`,
  incidents: `select coalesce((select max(id) from incident_event), 0) || '/' || (select count(*) from incident) as mark`,
  alerts: `select coalesce((select max(id) from alert_change), 0) || '/' || coalesce((select max(id) || max(ends_at) from silence), 0) as mark`,
  oncall: `select coalesce((select max(id) || '/' || group_concat(ends_at) from (select id, ends_at from oncall_override order by id desc limit 50)), 0) || '/' || coalesce((select max(id) from handoff_note), 0) as mark`,
  actions: `select group_concat(id || coalesce(ended_at, '')) as mark from (select * from console_action order by id desc limit 20)`,
  maintenance: `select (select group_concat(id || state || revision || ends_at) from maintenance_window) || '/' ||
    coalesce((select max(id) from maintenance_event), 0) || '/' ||
    coalesce((select max(sent_at) from maintenance_notice), '') as mark`,
  audit: `select max(id) as mark from audit`,
  operators: `select count(*) || '/' || coalesce(max(id), 0) as mark from operator`,
}

/**
 * Looks whether another connection has written: `pragma data_version` costs a few microseconds and no I/O. Only when it moved, or this
 * process wrote itself, are the marks of the topics read.
 */
export function watchChanges(store: Store): Changes {
  const listeners = new Set<(topics: string[]) => void>()
  let version = 0
  let seen = ''
  let marks = new Map<string, string>()
  const stamp = (): string =>
    Object.values(store.row<object>('pragma data_version') ?? {}).join() +
    '/' +
    String(store.row<{ n: number }>('select total_changes() as n')?.n)
  const readMarks = (): Map<string, string> =>
    new Map(Object.entries(topics).map(([name, sql]) => [name, String(store.row<{ mark: unknown }>(sql)?.mark ?? '')]))
  seen = stamp()
  const timer = setInterval(() => {
    if (listeners.size === 0) return
    const now = stamp()
    if (now === seen) return
    seen = now
    const next = readMarks()
    const changed = [...next].filter(([name, mark]) => marks.get(name) !== mark).map(([name]) => name)
    marks = next
    if (changed.length === 0) return
    version += 1
    for (const listener of listeners) listener(changed)
  }, everyMs)
  timer.unref()
  return {
    version: () => version,
    subscribe: (listener) => {
      if (listeners.size === 0) {
        marks = readMarks()
        seen = stamp()
      }
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
