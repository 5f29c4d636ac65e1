import { z } from 'zod'
import { parseRecurrence } from '../maintenance/recurrence.ts'
import { duration, quantity, share, wallTime } from './units.ts'

/** Every name an alert or a target may watch; what each is measured from is in signals/. */
export const signalNames = [
  'system-up',
  'error-rate',
  'error-burn',
  'response-time-p95',
  'availability',
  'request-rate',
  'active-users',
  'cpu',
  'memory',
  'disk',
  'network',
  'database-up',
  'storage-up',
  'cache-up',
  'pool-waiting',
  'queue-age',
  'restarts',
  'upload-success',
  'search-success',
  'satisfaction',
  'backup-age',
  'drill-age',
] as const
export type SignalName = (typeof signalNames)[number]

export const playbookNames = ['errors', 'slow', 'memory', 'database', 'cdn'] as const
export type PlaybookName = (typeof playbookNames)[number]

const severity = z.enum(['P0', 'P1', 'P2', 'P3'])
const channel = z
  .string()
  .regex(
    /^(pagerduty|pagerduty-changes|record|slack:#[a-z0-9_-]+|email:[^@\s,]+@[^@\s,]+|webhook:[a-z0-9-]+)$/,
    'write pagerduty, slack:#channel, email:name@host, webhook:name or record',
  )
const zone = z.string().refine((name) => isZone(name), 'is not a time zone; write UTC or Europe/Berlin')
const signal = z.enum(signalNames)

function isZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

const localTime = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d$/, 'write a local time like 2025-01-06T09:00')

const alert = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  title: z.string().min(1),
  signal,
  is: z.enum(['above', 'below']),
  threshold: quantity,
  /** Where it counts as over; on the good side of the threshold. */
  clear: quantity,
  window: duration,
  /** Both windows must be beyond the threshold; for burn rates. */
  shortWindow: duration.optional(),
  for: duration,
  keepFiringFor: duration,
  minSamples: z.int().min(0).default(0),
  noData: z.enum(['ok', 'firing', 'keep']).default('ok'),
  severity,
  playbook: z.enum(playbookNames),
  inhibitedBy: z.array(z.string()).default([]),
})

const target = z
  .strictObject({ below: quantity.optional(), above: quantity.optional(), window: duration })
  .refine((value) => (value.below === undefined) !== (value.above === undefined), 'give either below or above')

const bake = z.strictObject({
  lookEvery: duration,
  closeUntil: duration,
  thenEvery: duration,
  duration,
  suspectUntil: duration,
})

export const person = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  name: z.string().min(1),
  phone: z.string().default(''),
  email: z.email(),
  /** Member id, for mentions. */
  slack: z.string().default(''),
  pagerduty: z.string().default(''),
  level: z.int().min(1).max(4).default(1),
})

const weekday = z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])

export const policySchema = z.strictObject({
  format: z.literal(1),
  service: z.strictObject({
    name: z.string().min(1),
    productionUrl: z.url(),
    stagingUrl: z.url(),
    cdnUrl: z.url(),
    sentryUrl: z.url(),
    datadogUrl: z.url(),
    zone,
    workingHours: z.strictObject({ days: z.array(weekday).min(1), from: wallTime, to: wallTime }),
  }),
  targets: z.partialRecord(signal, target),
  severities: z.record(
    severity,
    z.strictObject({
      title: z.string(),
      acknowledgeWithin: duration,
      acknowledgementLasts: duration,
      channels: z.array(channel).min(1),
    }),
  ),
  alerts: z.array(alert),
  people: z.array(person),
  oncall: z.strictObject({
    zone,
    anchor: localTime,
    period: z.strictObject({ weeks: z.int().min(1).max(52) }).or(z.strictObject({ days: z.int().min(1).max(365) })),
    rotation: z.array(z.string()),
    /** Later rotations; each counts from its own beginning, so that nothing before it moves. */
    changes: z
      .array(
        z.strictObject({
          from: localTime,
          rotation: z.array(z.string()),
        }),
      )
      .default([]),
    secondary: z.enum(['previous-primary', 'next-primary', 'none']),
    coverageDays: z.int().min(1).max(366),
  }),
  escalation: z.strictObject({
    secondaryAfter: duration,
    levels: z
      .array(
        z.strictObject({
          level: z.int().min(1).max(9),
          title: z.string(),
          after: duration,
          respondWithin: duration,
          resolves: z.array(severity).default([]),
          atOnceFor: z.array(severity).default([]),
          to: z.literal('oncall').or(z.array(z.string())),
        }),
      )
      .min(1),
    workingHoursOnly: z.array(severity),
  }),
  channels: z.strictObject({
    oncall: channel,
    incidents: channel,
    alerts: channel,
    oncallEmail: channel,
    incidentsEmail: channel,
    pagerOfRecord: channel,
    deployments: z.array(channel),
    maintenance: z.array(channel),
  }),
  maintenance: z.strictObject({
    windows: z.array(
      z.strictObject({
        name: z.string().min(1),
        /** RFC 5545 recurrence rule of the days. */
        rule: z
          .string()
          .refine(
            (text) => parseRecurrence(text) !== null,
            'write FREQ=DAILY, FREQ=WEEKLY;BYDAY=SU or FREQ=MONTHLY;BYDAY=1SU',
          ),
        at: wallTime,
        duration,
        zone,
        noticeBefore: duration,
        absorbs: z.array(z.string()).default([]),
      }),
    ),
    remindBefore: z.array(duration),
    mode: z.enum(['read-only', 'full']),
    rollbackMargin: duration,
    /** True: production takes a deployment only while it is in maintenance. */
    deployOnlyInside: z.boolean().default(false),
  }),
  deploy: z.strictObject({
    gates: z.strictObject({
      testsValidFor: duration,
      securityValidFor: duration,
      performanceValidFor: duration,
      backupValidFor: duration,
      waiverAtMost: duration,
    }),
    controlShare: share,
    bake: z.strictObject({ production: bake, staging: bake }),
    slowerThan: duration,
    rollbackWithin: duration,
    automaticRollbacksBeforeFreeze: z.int().min(1),
    freezeWindow: duration,
  }),
  backup: z.strictObject({
    every: duration,
    at: wallTime,
    drillEvery: duration,
    keep: z.strictObject({
      hours: z.int().min(0),
      daily: z.int().min(0),
      weekly: z.int().min(0),
      monthly: z.int().min(0),
    }),
    keepOldDatabaseFor: duration,
  }),
  checklists: z.strictObject({
    preDeployment: z.array(z.string()),
    staging: z.array(z.string()),
    postDeployment: z.array(z.string()),
    maintenanceBefore: z.array(z.string()),
    maintenanceDuring: z.array(z.string()),
    maintenanceAfter: z.array(z.string()),
  }),
})

/** Durations are milliseconds, shares 0 to 1, thresholds in the unit of their signal (seconds for times). */
export type Policy = z.infer<typeof policySchema>
export type AlertRule = Policy['alerts'][number]

/** What the schema cannot see: names that refer to nothing, thresholds that can never clear. */
export function findContradictions(policy: Policy): { path: (string | number)[]; message: string }[] {
  const found: { path: (string | number)[]; message: string }[] = []
  const note = (path: (string | number)[], message: string): void => void found.push({ path, message })
  const people = new Set(policy.people.map(({ id }) => id))
  const alerts = new Set(policy.alerts.map(({ name }) => name))
  const windows = new Set(policy.maintenance.windows.map(({ name }) => name))
  for (const id of duplicatesOf(policy.people.map(({ id }) => id))) note(['people'], `two people have the id ${id}`)
  for (const name of duplicatesOf(policy.alerts.map(({ name }) => name)))
    note(['alerts'], `two alerts have the name ${name}`)
  for (const [index, id] of policy.oncall.rotation.entries())
    if (!people.has(id)) note(['oncall', 'rotation', index], `there is no person ${id}`)
  for (const [index, change] of policy.oncall.changes.entries()) {
    for (const id of change.rotation)
      if (!people.has(id)) note(['oncall', 'changes', index, 'rotation'], `there is no person ${id}`)
    const before = policy.oncall.changes[index - 1]?.from ?? policy.oncall.anchor
    if (change.from <= before) note(['oncall', 'changes', index, 'from'], `must be later than ${before}`)
  }
  for (const [index, level] of policy.escalation.levels.entries()) {
    if (level.level !== index + 1) note(['escalation', 'levels', index, 'level'], `levels count 1, 2, 3 …`)
    if (level.to !== 'oncall')
      for (const id of level.to)
        if (!people.has(id)) note(['escalation', 'levels', index, 'to'], `there is no person ${id}`)
  }
  for (const [index, rule] of policy.alerts.entries()) {
    for (const name of rule.inhibitedBy)
      if (!alerts.has(name)) note(['alerts', index, 'inhibitedBy'], `there is no alert ${name}`)
    const isBeyond =
      rule.is === 'above' ? rule.clear.value > rule.threshold.value : rule.clear.value < rule.threshold.value
    if (isBeyond) note(['alerts', index, 'clear'], 'is on the bad side of the threshold, so it could never clear')
    if (rule.clear.unit !== rule.threshold.unit) note(['alerts', index, 'clear'], 'has another unit than the threshold')
  }
  for (const [index, window] of policy.maintenance.windows.entries())
    for (const name of window.absorbs)
      if (!windows.has(name)) note(['maintenance', 'windows', index, 'absorbs'], `there is no window ${name}`)
  return found
}

const duplicatesOf = (names: string[]): string[] => [
  ...new Set(names.filter((name, index) => names.indexOf(name) !== index)),
]
