import type { OnCallView } from '@dam/contract/ops-types'
import { listHandoffNotes, listExceptions, readSchedule } from '../../oncall/oncall-store.ts'
import { coverageGaps, onCall, onCallBetween } from '../../oncall/schedule.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Store } from '../../store.ts'

const weekMs = 7 * 86_400_000

/** Who is on call now and in the coming weeks; `username` is who asks. */
export function readOnCall(
  store: Store,
  policy: Policy,
  options: { weeks: number; username: string; now: Date },
): OnCallView {
  const { now } = options
  const schedule = readSchedule(store, policy, now)
  const { primary, secondary, also, until, source } = onCall(schedule, now)
  return {
    at: now.toISOString(),
    zone: policy.oncall.zone,
    now: { primary, secondary, also, until, source },
    me: policy.people.find(({ id }) => id === options.username)?.id ?? null,
    people: policy.people.map(({ id, name, phone, email, level }) => ({ id, name, phone, email, level })),
    shifts: onCallBetween(schedule, now, new Date(now.getTime() + options.weeks * weekMs)).map((piece) => ({
      from: piece.from,
      until: piece.until,
      primary: piece.primary,
      secondary: piece.secondary,
      also: piece.also,
      source: piece.source,
    })),
    exceptions: listExceptions(store, now).map(({ id, kind, person, other, from, until, note, by }) => ({
      id,
      kind,
      person,
      other,
      from,
      until,
      note,
      by,
    })),
    // Without people there is no schedule that could have gaps.
    gaps: policy.people.length === 0 ? [] : coverageGaps(schedule, now),
    coverageDays: policy.oncall.coverageDays,
    notes: listHandoffNotes(store, 20),
    levels: policy.escalation.levels.map((level) => ({
      level: level.level,
      title: level.title,
      afterMs: level.after,
      respondWithinMs: level.respondWithin,
      people: level.to === 'oncall' ? null : level.to,
    })),
  }
}
