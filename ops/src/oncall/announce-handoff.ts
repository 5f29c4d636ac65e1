import { listIncidents } from '../incidents/incident-store.ts'
import type { Message } from '../notify/message.ts'
import { enqueue } from '../notify/outbox-store.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { listHandoffNotes, readSchedule, recordPast } from './oncall-store.ts'
import { onCall } from './schedule.ts'

/**
 * Writes down who was on call until now, and when somebody else has taken over since it was last written, tells the on-call channel and
 * whoever comes: what is open, and the newest note. Both in one transaction, so that each hand-off is told once. Returns whether it told.
 */
export function announceHandoff(store: Store, deps: { policy: Policy; consoleUrl: string; now: Date }): boolean {
  const { policy, now } = deps
  return store.transaction(() => {
    const last = store.row<{ primary: string | null; until: string }>(
      `select primary_person as "primary", ends_at as until from oncall_past order by starts_at desc limit 1`,
    )
    const who = onCall(readSchedule(store, policy, now), now)
    recordPast(store, policy, now)
    const comes = policy.people.find(({ id }) => id === who.primary)
    // A clock that went back is in a stretch that was told of.
    if (!last || !comes || last.primary === who.primary || last.until >= now.toISOString()) return false
    const nameOf = (id: string | null): string => policy.people.find((one) => one.id === id)?.name ?? id ?? 'nobody'
    const open = listIncidents(store, { state: 'unresolved', limit: 20 })
    const [note] = listHandoffNotes(store, 1)
    const message: Message = {
      event: 'oncall-handoff',
      subject: 'oncall:handoff',
      severity: null,
      title: `${comes.name} is on call now, after ${nameOf(last.primary)}`,
      text: [
        open.length === 0 ? 'No incident is open.' : 'Open:',
        ...open.map(({ id, severity, title, state }) => `${id} ${severity} ${title} (${state})`),
        ...(note ? [`Last note, ${note.by} ${note.at}: ${note.text}`] : []),
      ].join('\n'),
      facts: [
        { label: 'Secondary', value: nameOf(who.secondary) },
        ...(who.until === null ? [] : [{ label: 'Until', value: who.until }]),
      ],
      links: [{ label: 'On call', url: `${deps.consoleUrl}/oncall` }],
      environment: null,
      mentions: [comes.slack].filter(Boolean),
      isResolution: false,
      at: now.toISOString(),
    }
    enqueue(store, message, {
      channels: [policy.channels.oncall, `email:${comes.email}`],
      key: now.toISOString(),
      now,
    })
    return true
  })
}
