import { randomUUID } from 'node:crypto'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { onCallBetween, type Override, type Recorded, type Schedule } from './schedule.ts'

export type NewOverride = {
  kind: Override['kind']
  person: string | null
  other: string | null
  from: Date
  until: Date
  note: string
  by: string
  now: Date
}

/** Enters an exception; throws when it ends before it begins or lies in the past. */
export function addOverride(store: Store, entry: NewOverride): number {
  if (entry.until <= entry.from) throw new Error('An exception must end after it begins.')
  if (entry.until <= entry.now) throw new Error('That is over already; the past of the schedule is not rewritten.')
  return store.insert(
    `insert into oncall_override (kind, person, other, starts_at, ends_at, note, by_whom, at) values (?, ?, ?, ?, ?, ?, ?, ?)`,
    entry.kind,
    entry.person,
    entry.other,
    (entry.from < entry.now ? entry.now : entry.from).toISOString(),
    entry.until.toISOString(),
    entry.note,
    entry.by,
    entry.now.toISOString(),
  )
}

const swapPrefix = 'swap-'

/** Two people take each other's place in a stretch: two replacements in one transaction. */
export function swapPeople(
  store: Store,
  swap: { one: string; other: string; from: Date; until: Date; by: string; now: Date },
): void {
  // Each is meant of the schedule without the other one, so they go through a name that nobody has.
  const between = `${swapPrefix}${randomUUID()}`
  store.transaction(() => {
    for (const [other, person] of [
      [swap.one, between],
      [swap.other, swap.one],
      [between, swap.other],
    ] as const)
      addOverride(store, { ...swap, kind: 'replace', person, other, note: `${swap.one} and ${swap.other} swap` })
  })
}

/** False when it was over or cancelled already. A running one ends now; of a swap all parts end, or somebody would stand for nobody. */
export function cancelOverride(store: Store, id: number, now: Date): boolean {
  return store.transaction(() => {
    const cancelled = store.run(
      `update oncall_override set cancelled_at = ?, ends_at = max(starts_at, min(ends_at, ?))
       where cancelled_at is null and ends_at > ? and (id = ? or (at, note) = (
         select part.at, part.note from oncall_override part join oncall_override other on other.at = part.at and other.note = part.note
         where part.id = ? and other.person like '${swapPrefix}%'))`,
      now.toISOString(),
      now.toISOString(),
      now.toISOString(),
      id,
      id,
    )
    return cancelled > 0
  })
}

export type StoredOverride = Override & { note: string; by: string; at: string }

/** Not cancelled before they began, in the order they were entered. */
export const listOverrides = (store: Store, endingAfter: Date): StoredOverride[] =>
  store.rows<StoredOverride>(
    `select id, kind, person, other, starts_at as "from", ends_at as until, note, by_whom as by, at from oncall_override
     where ends_at > ? and ends_at > starts_at order by id`,
    endingAfter.toISOString(),
  )

/** As people entered them: a swap is one exception, whatever parts it has. */
export function listExceptions(store: Store, endingAfter: Date): StoredOverride[] {
  const all = listOverrides(store, endingAfter)
  const isInner = (name: string | null): boolean => name?.startsWith(swapPrefix) === true
  const swaps = all.filter(({ person }) => isInner(person))
  return all.flatMap((row) => {
    const swap = swaps.find(({ at, note }) => at === row.at && note === row.note)
    if (!swap) return [row]
    const last = all.find(({ other }) => other === swap.person)
    return row === swap && last ? [{ ...row, person: last.person }] : []
  })
}

/** Everything that decides who is on call, from two years back. */
export function readSchedule(store: Store, policy: Policy, now: Date): Schedule {
  const since = new Date(now.getTime() - 2 * 366 * 86_400_000)
  return {
    oncall: policy.oncall,
    overrides: listOverrides(store, since),
    recorded: store.rows<Recorded>(
      `select starts_at as "from", ends_at as until, primary_person as "primary", secondary_person as secondary
       from oncall_past where ends_at > ? order by starts_at`,
      since.toISOString(),
    ),
  }
}

/** Writes down who was on call until now. Call at least as often as the policy may change. */
export function recordPast(store: Store, policy: Policy, now: Date): void {
  store.transaction(() => {
    const last = store.row<{ until: string }>('select max(ends_at) as until from oncall_past')?.until
    const from = new Date(last ?? now.getTime() - 60_000)
    if (from >= now) return
    for (const piece of onCallBetween(readSchedule(store, policy, now), from, now)) {
      const extended = store.run(
        `update oncall_past set ends_at = ? where ends_at = ? and primary_person is ? and secondary_person is ?`,
        piece.until,
        piece.from,
        piece.primary,
        piece.secondary,
      )
      if (extended === 0)
        store.run(
          'insert into oncall_past (starts_at, ends_at, primary_person, secondary_person) values (?, ?, ?, ?)',
          piece.from,
          piece.until,
          piece.primary,
          piece.secondary,
        )
    }
  })
}

export const addHandoffNote = (store: Store, note: { by: string; text: string; now: Date }): void => {
  store.run('insert into handoff_note (by_whom, at, text) values (?, ?, ?)', note.by, note.now.toISOString(), note.text)
}

export type HandoffNote = { id: number; by: string; at: string; text: string }

export const listHandoffNotes = (store: Store, limit: number): HandoffNote[] =>
  store.rows<HandoffNote>('select id, by_whom as by, at, text from handoff_note order by id desc limit ?', limit)
