import { spanText } from '../notice-message.ts'
import { readPolicy } from '../../policy/read-policy.ts'
import type { Policy } from '../../policy/policy.ts'
import type { Message } from '../../notify/message.ts'
import type { Store } from '../../store.ts'
import { scratchStore } from '../../testing/scratch-store.ts'
import { createMaintenance } from '../maintain.ts'
import { lateAfterMs } from '../send-notices.ts'
import { comingWindows, findWindow, listNotices } from '../window-store.ts'

export type Simulated = {
  hours: number
  turns: number
  kills: number
  downtimes: number
  clockSteps: number
  policyChanges: number
  notices: number
  violations: string[]
}

const secondMs = 1_000
const minuteMs = 60_000
const hourMs = 3_600_000
const dayMs = 86_400_000

/**
 * Lives through `days` of maintenance windows with a random choice of kills in the middle of a transaction, hours and days in which
 * nothing runs, clocks that jump both ways, and changes of the policy, and looks after every turn whether what must hold does.
 */
export function simulateMaintenance(options: { seed: number; days: number; from?: Date }): Simulated {
  using store = scratchStore()
  const random = randomOf(options.seed)
  const between = (least: number, most: number): number => least + random() * (most - least)
  const folder = store.folder
  const environment = {
    name: 'production',
    isLocal: false,
    publicUrl: 'https://dam.local',
    host: '127.0.0.1',
    port: 1,
    dataDir: folder,
    databaseUrl: null,
    runDir: folder,
    settings: {},
  }
  const policies = policyVariants()
  let policy = policies[0]!
  let fuse = Infinity
  const blow = (): void => {
    if (--fuse <= 0) throw new Killed()
  }
  const fragile: Store = {
    ...store,
    run: (...args) => (blow(), store.run(...args)),
    insert: (...args) => (blow(), store.insert(...args)),
  }
  const begin = () =>
    createMaintenance({
      store: fragile,
      policy: () => policy,
      environments: () => [environment],
      consoleUrl: 'http://localhost:8081',
      onError: (_, error) => {
        throw error
      },
    })
  const startedAt = (options.from ?? new Date('2026-01-05T00:00:00Z')).getTime()
  const endsAt = startedAt + options.days * dayMs
  const result: Simulated = {
    hours: options.days * 24,
    turns: 0,
    kills: 0,
    downtimes: 0,
    clockSteps: 0,
    policyChanges: 0,
    notices: 0,
    violations: [],
  }
  let [time, offsetMs, offsetUntil] = [startedAt, 0, 0]
  /** Since when nothing was disturbed. */
  let calmSince = startedAt
  let maintenance = begin()
  let seen = 0
  const told = new Map<string, { message: Message; kind: string }>()
  const starts = new Map<string, string>()
  const violate = (text: string): void => {
    if (result.violations.length < 20) result.violations.push(`seed ${options.seed}: ${text}`)
  }

  const turn = (now: Date): void => {
    result.turns++
    // Burns down with every write, also over several turns.
    if (fuse === Infinity && random() < 0.05) fuse = Math.ceil(between(0, 12))
    try {
      maintenance.turn(now)
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      result.kills++
      fuse = Infinity
      maintenance = begin()
      maintenance.turn(now)
    }
    check(now)
  }

  const check = (now: Date): void => {
    const fresh = store.rows<{ id: number; subject: string; message: string; channel: string }>(
      'select id, subject, message, channel from outbox where id > ? order by id',
      seen,
    )
    for (const row of fresh) {
      seen = row.id
      // Each message goes to several channels; one is enough to look at.
      if (!row.channel.startsWith('slack')) continue
      result.notices++
      const message = JSON.parse(row.message) as Message
      const kind = message.event.replace('maintenance-', '')
      const window = findWindow(store, Number(row.subject.split(':')[1]))
      if (!window) continue
      told.set(row.subject, { message, kind })
      if (['advance', 'reminder', 'start'].includes(kind) && message.at >= window.endsAt)
        violate(`${row.subject} ${kind} at ${message.at}, after its end ${window.endsAt}`)
      if (kind === 'start' || kind === 'advance') {
        const what = `${kind} ${window.startsAt}`
        const other = starts.get(what)
        if (other !== undefined && other !== row.subject) violate(`${what} told by ${other} and ${row.subject}`)
        if (other === row.subject) violate(`${what} told twice`)
        starts.set(what, row.subject)
      }
    }
    // What people were told last is what is planned.
    for (const [subject, { message, kind }] of told) {
      const window = findWindow(store, Number(subject.split(':')[1]))
      if (!window || window.endsAt <= now.toISOString() || window.state === 'ended') {
        if (window && Date.parse(window.endsAt) < now.getTime() - 7 * dayMs) told.delete(subject)
        continue
      }
      if (window.state === 'cancelled' && kind !== 'cancelled')
        violate(`${subject} is off and people were told last: ${message.title}`)
      if (window.state === 'scheduled' && (kind === 'cancelled' || message.facts[0]?.value !== spanText(window)))
        violate(`${subject} takes place ${spanText(window)} and people were told last: ${message.title}`)
    }
    const coming = comingWindows(store, now)
    for (const [index, window] of coming.entries()) {
      const next = coming[index + 1]
      if (next && next.startsAt < window.endsAt && window.startsAt > now.toISOString())
        violate(`${window.key} and ${next.key} overlap`)
    }
    for (const window of coming.slice(0, 3)) {
      for (const notice of listNotices(store, window.id)) {
        const lateMs = notice.sentAt === null ? 0 : Date.parse(notice.sentAt) - Date.parse(notice.dueAt)
        if (notice.outcome === 'sent' && lateMs > lateAfterMs)
          violate(`${window.key} ${notice.kind} is late and does not say so`)
        const dueAt = Date.parse(notice.dueAt)
        const wasCalm = offsetMs === 0 && calmSince < Math.min(dueAt, Date.parse(window.createdAt)) - hourMs
        if (wasCalm && notice.sentAt === null && now.getTime() > dueAt + 10 * secondMs && window.state === 'scheduled')
          violate(`${window.key} ${notice.kind} was due at ${notice.dueAt}, it is ${now.toISOString()}`)
        if (wasCalm && notice.outcome === 'short-notice') violate(`${window.key} ${notice.kind} late in calm times`)
      }
    }
  }

  const nextDue = (now: number): number => {
    const at = store.row<{ at: string | null }>(
      'select min(due_at) as at from maintenance_notice where sent_at is null and due_at > ?',
      new Date(now).toISOString(),
    )?.at
    return at ? Date.parse(at) : Infinity
  }

  while (time < endsAt) {
    const now = time + offsetMs
    turn(new Date(now))
    const dice = random()
    if (offsetMs !== 0 && time >= offsetUntil) {
      offsetMs = 0
      calmSince = time
    } else if (dice < 0.004) {
      offsetMs = (random() < 0.5 ? -1 : 1) * between(minuteMs, random() < 0.2 ? 3 * dayMs : 3 * hourMs)
      offsetUntil = time + between(minuteMs, 6 * hourMs)
      calmSince = time
      result.clockSteps++
    } else if (dice < 0.008) {
      time += between(minuteMs, random() < 0.2 ? 4 * dayMs : 5 * hourMs)
      maintenance = begin()
      calmSince = time
      result.downtimes++
    } else if (dice < 0.011) {
      policy = policies[Math.floor(between(0, policies.length))] ?? policy
      calmSince = time
      result.policyChanges++
    } else if (dice < 0.03) maintenance = begin()
    const due = nextDue(time + offsetMs) - offsetMs
    time = Math.min(time + between(secondMs, 5 * hourMs), Math.max(due, time + secondMs) + between(0, 2 * secondMs))
  }
  return result
}

class Killed extends Error {}

/** Numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The shipped policy, and others that somebody could make of it. */
function policyVariants(): Policy[] {
  const { policy } = readPolicy()
  const [weekly, monthly] = policy.maintenance.windows
  if (!weekly || !monthly) throw new Error('the shipped policy has two windows')
  const variant = (windows: Policy['maintenance']['windows']): Policy => ({
    ...policy,
    maintenance: { ...policy.maintenance, windows },
  })
  return [
    policy,
    policy,
    variant([{ ...weekly, at: '03:00' }, monthly]),
    variant([weekly, { ...monthly, duration: 6 * hourMs, noticeBefore: 10 * dayMs }]),
    variant([{ ...weekly, rule: 'FREQ=WEEKLY;BYDAY=SA' }, monthly]),
    variant([
      { ...weekly, name: 'Sunday work' },
      { ...monthly, absorbs: ['Sunday work'] },
    ]),
    variant([weekly]),
    variant([
      { ...weekly, zone: 'America/New_York', at: '02:30' },
      { ...monthly, zone: 'America/New_York', at: '02:30' },
    ]),
    variant([]),
  ]
}
