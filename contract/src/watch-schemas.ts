import { z } from 'zod'
import { environmentName, severity } from './ops-schemas.ts'

// Vocabulary ------------------------------------------------------------------

const time = z.iso.datetime().describe('UTC, ISO 8601')
const moment = time.nullable()
const count = z.number().int().nonnegative()
const word = z.string().trim().min(1)
const personId = z.string().regex(/^[a-z0-9-]{1,60}$/, 'This is not the id of a person of the policy.')
const ruleName = z.string().regex(/^(\*|[a-z0-9-]{1,80})$/, 'This is not the name of an alert rule.')

export const signalUnit = z.enum(['share', 'seconds', 'count', 'per-second', 'bytes-per-second', 'flag', 'factor'])
export const signalGroup = z.enum(['application', 'infrastructure', 'business'])
const bound = z.enum(['above', 'below'])

// Signals ---------------------------------------------------------------------

export const signalRanges = ['1h', '6h', '24h', '7d', '35d'] as const
export const signalsQuery = z.object({ range: z.enum(signalRanges).optional() })
export const signalSeries = z.object({
  signal: z.string(),
  title: z.string(),
  group: signalGroup,
  unit: signalUnit,
  values: z.array(z.number().nullable()).describe('one for each of `times`; null: nobody could know'),
  limits: z.array(z.object({ rule: z.string(), severity, is: bound, value: z.number() })),
  target: z.object({ is: bound, value: z.number() }).nullable(),
})
export const signalMark = z.object({
  at: time,
  until: moment,
  kind: z.enum(['cut-over', 'rollback', 'maintenance']),
  label: z.string(),
  deploymentId: count.nullable(),
})
export const signals = z.object({
  environment: z.string(),
  range: z.enum(signalRanges),
  from: time,
  until: time,
  bucketMs: count,
  times: z.array(z.number()).describe('seconds since 1970, the beginning of each bucket'),
  series: z.array(signalSeries),
  marks: z.array(signalMark),
})
export const keyMetric = z.object({
  signal: z.string(),
  title: z.string(),
  unit: signalUnit,
  windowMs: count,
  value: z.number().nullable(),
  samples: count,
  target: z.object({ is: bound, value: z.number() }),
  isMet: z.boolean().nullable().describe('null: not known'),
  trend: z.array(z.number().nullable()).describe('the last six hours in 24 steps'),
})
export const keyMetrics = z.object({
  at: time,
  environments: z.array(z.object({ environment: z.string(), metrics: z.array(keyMetric) })),
})

// Alerts ----------------------------------------------------------------------

export const silence = z.object({
  id: count,
  environment: z.string(),
  rule: z.string(),
  from: time,
  until: time,
  reason: z.string(),
  by: z.string(),
})
export const alert = z.object({
  environment: z.string(),
  rule: z.string(),
  title: z.string(),
  severity,
  signal: z.string(),
  signalTitle: z.string(),
  unit: signalUnit,
  is: bound,
  threshold: z.number(),
  clear: z.number(),
  windowMs: count,
  forMs: count,
  phase: z.enum(['inactive', 'pending', 'firing', 'keep-firing', 'unknown']).describe('unknown: never looked at'),
  value: z.number().nullable(),
  since: moment,
  firingSince: moment,
  lookedAt: moment,
  incidentId: count.nullable(),
  playbook: z.string(),
  inhibitedBy: z.array(z.string()),
  inhibits: z.array(z.string()),
  inhibitedNowBy: z.string().nullable().describe('a rule that fires and explains this one'),
  silence: silence.nullable(),
})
export const alertChange = z.object({
  id: count,
  environment: z.string(),
  rule: z.string(),
  at: time,
  phase: z.string(),
  value: z.number().nullable(),
})
export const alerts = z.object({
  alerts: z.array(alert),
  silences: z.array(silence).describe('running or to come'),
  changes: z.array(alertChange).describe('newest first'),
})
export const alertsQuery = z.object({ environment: environmentName.optional() })
export const silenceBody = z.strictObject({
  environment: environmentName.or(z.literal('*')),
  rule: ruleName,
  minutes: z.number().int().min(5).max(43_200),
  reason: z.string().trim().min(5, 'Say why, so that others understand it.').max(1000),
})
export const silenceAdded = z.object({ id: count })

// On call ---------------------------------------------------------------------

export const personView = z.object({
  id: z.string(),
  name: z.string(),
  phone: z.string(),
  email: z.string(),
  level: count,
})
export const shift = z.object({
  from: time,
  until: time,
  primary: z.string().nullable(),
  secondary: z.string().nullable(),
  also: z.array(z.string()),
  source: z.enum(['recorded', 'temporary', 'override', 'rotation', 'nobody']),
})
export const onCallException = z.object({
  id: count,
  kind: z.enum(['temporary', 'replace', 'remove', 'add']),
  person: z.string().nullable(),
  other: z.string().nullable(),
  from: time,
  until: time,
  note: z.string(),
  by: z.string(),
})
export const onCallQuery = z.object({ weeks: z.coerce.number().int().min(1).max(26).optional() })
export const onCall = z.object({
  at: time,
  zone: z.string(),
  now: z.object({
    primary: z.string().nullable(),
    secondary: z.string().nullable(),
    also: z.array(z.string()),
    until: moment,
    source: shift.shape.source,
  }),
  me: z.string().nullable().describe('the person of the policy who is signed in'),
  people: z.array(personView),
  shifts: z.array(shift),
  exceptions: z.array(onCallException),
  gaps: z.array(z.object({ from: time, until: time })),
  coverageDays: count,
  notes: z.array(z.object({ id: count, by: z.string(), at: time, text: z.string() })),
  levels: z.array(
    z.object({
      level: count,
      title: z.string(),
      afterMs: count,
      respondWithinMs: count,
      people: z.array(z.string()).nullable().describe('null: whoever is on call'),
    }),
  ),
})
export const exceptionBody = z.strictObject({
  kind: z.enum(['replace', 'remove', 'add']),
  person: personId.optional().describe('who comes; replace and add'),
  other: personId.optional().describe('who goes; replace and remove'),
  from: time.optional(),
  until: time,
  note: z.string().trim().max(1000).optional(),
})
export const swapBody = z.strictObject({ one: personId, other: personId, from: time.optional(), until: time })
export const handoffBody = z.strictObject({ text: word.max(5000) })
export const feedBody = z.strictObject({ person: personId.optional().describe('only the shifts of this person') })
export const feed = z.object({ url: z.string().describe('shown once; whoever has it can read the schedule') })

// Incidents -------------------------------------------------------------------

export const publicStates = ['investigating', 'identified', 'watching', 'resolved'] as const
export const publicUpdate = z.object({
  id: count,
  at: time,
  state: z.enum(publicStates),
  text: z.string(),
  by: z.string(),
})
export const publicUpdateBody = z.strictObject({
  state: z.enum(publicStates),
  title: z
    .string()
    .trim()
    .min(3)
    .max(120)
    .optional()
    .describe('what the public reads as its name; needed with the first update'),
  text: z.string().trim().min(3).max(2000),
})
export const severityBody = z.strictObject({ severity, reason: word.max(1000) })
export const incidentCalls = z.object({
  escalation: z
    .object({
      level: count,
      round: count,
      nextAt: time,
      acknowledgedBy: z.string().nullable(),
      acknowledgedUntil: moment,
      snoozedUntil: moment,
    })
    .nullable()
    .describe('null: nobody is called for it any more'),
  next: z.object({ level: count, title: z.string() }).nullable(),
  acknowledgeBy: moment.describe('when the severity wants it acknowledged'),
  deliveries: z.array(
    z.object({
      id: count,
      channel: z.string(),
      event: z.string(),
      title: z.string(),
      state: z.string(),
      attempts: count,
      createdAt: time,
      sentAt: moment,
      outcome: z.string().describe('what the receiver answered'),
    }),
  ),
  playbook: z.string().nullable(),
  publicTitle: z.string().nullable(),
  publicUpdates: z.array(publicUpdate),
  isPublicEnvironment: z.boolean().describe('whether the public status page shows this environment'),
})

// Runbook ---------------------------------------------------------------------

export const runbookEntry = z.object({
  text: z.string(),
  note: z.string().optional(),
  instead: z.string().optional().describe('the command of the runbook that this one replaces'),
  command: z.string().optional(),
  page: z.string().optional().describe('a place of the console'),
  url: z.string().optional(),
})
export const runbook = z.object({
  hash: z.string().nullable().describe('of the file of the policy'),
  chapters: z.array(
    z.object({
      title: z.string(),
      sections: z.array(z.object({ title: z.string(), entries: z.array(runbookEntry) })),
    }),
  ),
})
