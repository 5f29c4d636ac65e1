import { z } from 'zod'

// Vocabulary ------------------------------------------------------------------

export const operatorRoles = ['viewer', 'operator', 'administrator'] as const
export const operatorRole = z.enum(operatorRoles)
export const verdict = z.enum(['unknown', 'good', 'bad', 'quarantined'])
export const severity = z.enum(['P0', 'P1', 'P2', 'P3'])

const time = z.iso.datetime().describe('UTC, ISO 8601')
const moment = time.nullable()
const count = z.number().int().nonnegative()
const freeForm = z.record(z.string(), z.unknown())
const word = z.string().trim().min(1)
/** Names reach command lines: letters, digits, dash. */
export const environmentName = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'This is not the name of an environment.')
export const releaseTag = z
  .string()
  .max(90)
  .regex(
    /^v\d{1,6}\.\d{1,6}\.\d{1,6}(?:-[0-9A-Za-z][0-9A-Za-z.-]{0,60})?$/,
    'This is not a release tag such as v1.2.3.',
  )
const backupName = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z._-]{0,90}$/, 'This is not the id of a backup.')
const username = z
  .string()
  .trim()
  .regex(/^[\w.@+-]{1,80}$/, 'Letters, digits and . @ + - _ only.')
const newPassword = z.string().min(10, 'At least 10 characters.').max(1000)
const list = <T extends z.ZodType>(item: T) => z.object({ results: z.array(item) })

export const numberId = z.object({ id: z.coerce.number().int().positive() })
export const byEnvironment = z.object({ environment: environmentName })
export const byEnvironmentAndTag = z.object({ environment: environmentName, tag: releaseTag })
export const byDigest = z.object({ digest: z.string().regex(/^[0-9a-f]{64}$/) })
export const byBackup = z.object({ id: backupName })
export const recentQuery = z.object({
  environment: environmentName.optional(),
  before: z.coerce.number().int().positive().optional().describe('older than this id'),
  limit: z.coerce.number().int().min(1).max(200).optional(),
})

// People ------------------------------------------------------------------------

export const operator = z.object({
  id: count,
  username: z.string(),
  displayName: z.string(),
  email: z.string(),
  role: operatorRole,
  active: z.boolean(),
  createdAt: time,
})
export const opsSession = z.object({
  operator: operator.nullable(),
  setupRequired: z.boolean(),
  version: z.string(),
  isHosted: z.boolean().describe('false: one environment `local` without deployments'),
  shift: z
    .object({ as: z.enum(['primary', 'secondary']), until: moment, raises: z.boolean() })
    .nullable()
    .describe('the person is on call; `raises`: a viewer has the rights of an operator until then'),
})
export const operatorCredentials = z.strictObject({ username: z.string().max(200), password: z.string().max(1000) })
export const opsSetUpBody = z.strictObject({ token: z.string().max(200), username, password: newPassword })
export const operatorCreate = z.strictObject({
  username,
  password: newPassword,
  role: operatorRole,
  displayName: z.string().trim().max(200).optional(),
  email: z.string().trim().max(200).optional(),
})
export const operatorPatch = z.strictObject({
  role: operatorRole.optional(),
  active: z.boolean().optional(),
  password: newPassword.optional(),
  displayName: z.string().trim().max(200).optional(),
  email: z.string().trim().max(200).optional(),
})
export const operators = list(operator)
export const opsToken = z.object({
  id: count,
  label: z.string(),
  createdAt: time,
  lastUsedAt: time,
  expiresAt: time,
})
export const opsTokens = list(opsToken)
export const opsTokenCreate = z.strictObject({
  label: word.max(200),
  days: z.number().int().min(1).max(365).optional(),
})
export const opsTokenCreated = z.object({ token: z.string() })

// Overview ------------------------------------------------------------------------

/** What a probe of a public address found last; null: not asked yet. */
export const probe = z.object({
  at: time,
  state: z.enum(['healthy', 'degraded', 'unhealthy', 'unreachable']),
  message: z.string(),
  version: z.string().nullable(),
  tookMs: z.number(),
})
export const activeRelease = z.object({ tag: z.string(), digest: z.string().nullable(), since: moment })
export const deploymentSummary = z.object({
  id: count,
  kind: z.enum(['deploy', 'rollback']),
  environment: z.string(),
  tag: z.string(),
  digest: z.string(),
  previousTag: z.string().nullable(),
  state: z.string(),
  because: z.string(),
  requestedBy: z.string(),
  requestedAt: time,
  updatedAt: time,
  endedAt: moment,
})
export const incidentSummary = z.object({
  id: count,
  environment: z.string(),
  severity,
  title: z.string(),
  cause: z.string(),
  state: z.enum(['open', 'acknowledged', 'resolved']),
  openedAt: time,
  openedBy: z.string(),
  acknowledgedAt: moment,
  acknowledgedBy: z.string().nullable(),
  resolvedAt: moment,
  deploymentId: count.nullable(),
})
export const environmentOverview = z.object({
  name: z.string(),
  isLocal: z.boolean(),
  publicUrl: z.string(),
  active: activeRelease.nullable(),
  control: z.object({ tag: z.string(), sharePercent: z.number() }).nullable(),
  maintenance: z.object({ mode: z.string(), reason: z.string() }).nullable(),
  health: probe.nullable(),
  deployment: deploymentSummary.nullable().describe('the one that runs'),
  lastDeployment: deploymentSummary.nullable(),
  incidents: z.array(incidentSummary).describe('not resolved'),
  lastBackupAt: moment,
  lastDrill: z.object({ at: time, passed: z.boolean() }).nullable(),
})
export const overview = z.object({ at: time, environments: z.array(environmentOverview) })

// Releases ------------------------------------------------------------------------

export const release = z.object({
  digest: z.string(),
  tag: z.string(),
  version: z.string(),
  commit: z.string(),
  committedAt: time,
  builtAt: time,
  schema: z.object({ min: count, max: count }),
  verdict,
  verdictBecause: z.string(),
  verdictAt: moment,
  activeIn: z.array(z.string()),
})
export const releases = list(release)
export const releaseDetail = release.extend({
  lockfileHash: z.string(),
  toolchainHash: z.string(),
  configHash: z.string(),
  sbomHash: z.string(),
  nodeVersion: z.string(),
  fileCount: count,
  migrations: z.array(
    z.object({
      app: z.string(),
      number: count,
      name: z.string(),
      previousReleaseRuns: z.boolean(),
      reason: z.string(),
      isNew: z.boolean().describe('not part of the release before it'),
    }),
  ),
  previousTag: z.string().nullable(),
  commits: z
    .array(z.object({ hash: z.string(), subject: z.string() }))
    .nullable()
    .describe('since the previous release; null: this host has no git history of them'),
  artifact: z.object({
    present: z.boolean(),
    sizeBytes: count.nullable(),
    signature: z
      .object({
        state: z.enum(['verified', 'refused', 'missing']),
        keyId: z.string().nullable(),
        because: z.string().describe('of a refusal'),
      })
      .describe('against the keys this host trusts, with the digest and every file of the artifact'),
    installed: z.boolean(),
  }),
  sbom: z.object({ packages: count, licences: z.array(z.object({ name: z.string(), count })) }).nullable(),
  deployments: z.array(deploymentSummary),
})

// Deployments ---------------------------------------------------------------------

export const deployments = list(deploymentSummary)
export const deploymentEvent = z.object({
  id: count,
  at: time,
  state: z.string(),
  step: z.string(),
  status: z.string(),
  message: z.string(),
  detail: freeForm,
})
/** One side of the evidence at a look: the Wald sum, what it was made of, and the rates it compares. */
const lookSide = z.object({
  sum: z.number(),
  requests: count,
  failures: count,
  goodRate: z.number(),
  badRate: z.number(),
})
export const judgeTrace = z.object({
  badAt: z.number().nullable().describe('a sum at or above this is "bad"'),
  floor: z.number().nullable(),
  cutOverAt: moment,
  looks: z.array(
    z.object({
      at: time,
      verdict: z.string(),
      because: z.string(),
      errors: lookSide.nullable(),
      slowness: lookSide.nullable(),
      control: z.object({ requests: count, bad: count, slow: count }).nullable(),
    }),
  ),
})
export const slotView = z.object({
  id: z.string(),
  tag: z.string(),
  port: count,
  desiredWeb: z.string(),
  desiredWorker: z.string(),
  observed: freeForm.nullable(),
})
export const deploymentDetail = deploymentSummary.extend({
  events: z.array(deploymentEvent),
  stamps: z.record(z.string(), z.string()),
  trace: judgeTrace,
  slots: z.array(slotView),
  isHeld: z.boolean().describe('a deployer works on it now'),
  heldBy: z.string(),
})
/** What a command answered with `--json`. */
export const commandAnswer = z.object({
  ok: z.boolean(),
  exitCode: z.number().int().nullable(),
  answer: z.unknown(),
  output: z.string().describe('what it said, where it gave no JSON'),
})
export const deployPlanQuery = z.object({ tag: releaseTag })
export const deployBody = z.strictObject({ tag: releaseTag, confirm: z.string().max(60) })
export const rollbackPlanQuery = z.object({ to: releaseTag.optional() })
export const rollbackBody = z.strictObject({
  confirm: z.string().max(60).describe('the name of the environment, typed'),
  reason: word.max(2000),
  to: releaseTag.optional(),
})
export const decisionBody = z.strictObject({
  decision: z.enum(['accept', 'extend', 'rollback']),
  reason: word.max(2000),
})

// Gates -----------------------------------------------------------------------------

export const gateStatus = z.object({
  kind: z.string(),
  title: z.string(),
  state: z.enum(['pass', 'fail', 'waived', 'stale', 'unknown']),
  evidence: z.object({
    summary: z.string(),
    link: z.string().optional(),
    hash: z.string().optional(),
    details: z.unknown().optional(),
  }),
  by: z.string(),
  at: moment,
  expiresAt: moment,
  remedy: z.string().nullable(),
})
export const gates = z.object({
  environment: z.string(),
  tag: z.string(),
  gates: z.array(gateStatus),
})
export const waiverBody = z.strictObject({
  kind: z.enum(['reviewed', 'tests', 'security', 'performance', 'migrations', 'backup', 'rollback']),
  reason: z.string().trim().min(20, 'Say why, in at least 20 characters.').max(2000),
  requestedBy: word.max(200).optional().describe('who asks for it; must be somebody else'),
  hours: z.number().int().min(1).max(168),
})
export const verificationQuery = z.object({
  journey: z.stringbool().optional().describe('true: walk the smoke journey as well, which takes some seconds'),
})
export const checklistLine = z.object({
  item: z.string(),
  title: z.string(),
  state: z.enum(['pass', 'fail', 'unknown', 'attested', 'attestation-missing']),
  evidence: z.string(),
})
export const verification = z.object({
  environment: z.string(),
  since: time.describe('errors are new from here on, and attestations count'),
  lists: z.array(z.object({ name: z.enum(['staging', 'production']), lines: z.array(checklistLine) })),
})
export const attestBody = z.strictObject({
  item: word.max(200),
  note: word.max(2000).describe('what was seen'),
  hours: z.number().int().min(1).max(720),
})

// Backups and drills ----------------------------------------------------------------

export const backup = z.object({
  id: z.string(),
  environment: z.string(),
  state: z.string(),
  startedAt: time,
  endedAt: moment,
  sizeBytes: count,
  schemaNumber: count,
  message: z.string(),
  facts: freeForm,
})
export const backups = list(backup)
export const environmentBody = z.strictObject({ environment: environmentName })
export const restoreBody = z.strictObject({ environment: environmentName, confirm: z.string().max(60) })
export const restorePlan = z.object({
  backup,
  environment: z.string(),
  losesSince: time.describe('what was changed after this moment is not in the backup'),
  predictedSeconds: z.number().nullable().describe('from the newest restore drill that passed; null: not known'),
})
export const drill = z.object({
  id: count,
  kind: z.string(),
  environment: z.string(),
  backupId: z.string().nullable(),
  state: z.enum(['running', 'passed', 'failed']),
  startedAt: time,
  endedAt: moment,
  report: freeForm,
})
export const drills = list(drill)

// Incidents -------------------------------------------------------------------------

export const incidents = list(incidentSummary)
export const incidentQuery = z.object({
  environment: environmentName.optional(),
  state: z.enum(['unresolved', 'resolved']).optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
})
export const incidentDetail = incidentSummary.extend({
  evidence: freeForm,
  events: z.array(
    z.object({ id: count, at: time, kind: z.string(), by: z.string(), message: z.string(), detail: freeForm }),
  ),
})
export const noteBody = z.strictObject({ message: word.max(5000) })
export const optionalNote = z.strictObject({ message: z.string().trim().max(5000).optional() })
export const incidentRaise = z.strictObject({
  environment: environmentName,
  severity,
  title: z.string().trim().min(3, 'Say what is wrong.').max(200),
})
export const incidentRaised = z.object({ id: count })
export const snoozeBody = z.strictObject({ minutes: z.number().int().min(1).max(1440) })

// Diagnosis and tuning ----------------------------------------------------------------

export const playbook = z.enum(['errors', 'slow', 'memory', 'database', 'cdn'])
export const diagnoseBody = z.strictObject({ playbook })
export const diagnosis = z.object({
  id: count.describe('its actions are called by it: `./dam fix 12.1`'),
  playbook,
  environment: z.string(),
  at: time,
  tookMs: z.number(),
  causes: z
    .array(
      z.object({
        cause: z.string(),
        title: z.string(),
        weight: z.number(),
        share: z.number(),
        evidence: z.array(z.string()),
        action: z.object({
          kind: z.string(),
          title: z.string(),
          risk: z.enum(['read', 'reversible', 'disruptive', 'destructive']),
          command: z.string(),
        }),
      }),
    )
    .describe('most likely first'),
  findings: z.record(
    z.string(),
    z.object({ state: z.enum(['known', 'unknown']), because: z.string().optional(), tookMs: z.number() }),
  ),
})
export const tuning = z.object({
  lines: z.array(
    z.object({
      area: z.enum(['frontend', 'backend']),
      name: z.string(),
      state: z.enum(['ok', 'out-of-bounds', 'unknown']),
      figure: z.string(),
      bound: z.string(),
      advice: z.string(),
    }),
  ),
})

// Actions and audit -----------------------------------------------------------------

export const action = z.object({
  id: count,
  kind: z.string().describe('deploy, rollback, backup, …'),
  subject: z.string(),
  command: z.string().describe('what a person would type for the same'),
  startedBy: z.string(),
  startedAt: time,
  endedAt: moment,
  state: z.enum(['running', 'done', 'failed', 'unknown']),
  exitCode: z.number().int().nullable(),
  output: z.string().describe('the end of what it printed'),
})
export const actions = list(action)
export const actionStarted = z.object({ action: count })
export const auditEntry = z.object({
  id: count,
  at: time,
  who: z.string(),
  action: z.string(),
  subject: z.string(),
  detail: freeForm,
})
export const audit = list(auditEntry)
export const auditQuery = z.object({
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).optional(),
  who: z.string().max(200).optional(),
  action: z.string().max(200).optional(),
})

const alertLabels = z.record(z.string().max(200), z.string().max(4_000))

/** What Alertmanager posts (`version` 4); it may gain fields, so that unknown ones are let through. */
export const alertmanagerWebhook = z.looseObject({
  version: z.literal('4'),
  groupKey: z.string().min(1).max(10_000),
  status: z.enum(['firing', 'resolved']),
  receiver: z.string().max(200),
  commonLabels: alertLabels.default({}),
  externalURL: z.string().max(2_000).default(''),
  truncatedAlerts: z.int().min(0).default(0),
  alerts: z
    .array(
      z.looseObject({
        status: z.enum(['firing', 'resolved']),
        labels: alertLabels.refine((labels) => Boolean(labels['alertname']), 'The label alertname is missing.'),
        annotations: alertLabels.default({}),
        startsAt: z.iso.datetime({ offset: true }),
        endsAt: z.iso.datetime({ offset: true }),
        generatorURL: z.string().max(4_000).default(''),
        fingerprint: z.string().regex(/^[0-9a-f]{1,64}$/, 'A fingerprint is hexadecimal.'),
      }),
    )
    .min(1)
    .max(1_000),
})

export const alertsReceived = z.object({
  /** Incidents that opened, went on or were resolved by this delivery. */
  opened: z.array(z.number()),
  joined: z.array(z.number()),
  resolved: z.array(z.number()),
  /** Alerts that said nothing new. */
  unchanged: z.number(),
})

// Judge for other engines -------------------------------------------------------

export const byAnalysis = z.object({ analysis: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,90}$/) })
const judgedCounts = z
  .strictObject({ total: count, bad: count, slow: count })
  .refine(({ total, bad, slow }) => bad <= total && slow <= total, 'bad and slow are parts of total')
export const judgeBody = z.strictObject({
  release: releaseTag.describe('the new release'),
  control: releaseTag.optional().describe('the release it replaces; without it every other one that is seen'),
  bakeSeconds: z.number().int().min(60).max(86_400).optional().describe('the policy says it when this does not'),
  labels: z
    .record(z.string().regex(/^[a-zA-Z_]\w{0,60}$/), z.string().regex(/^[\w./:-]{1,120}$/))
    .optional()
    .describe('which series of Prometheus are meant, for example {"namespace": "dam"}'),
  counts: z
    .strictObject({ fresh: judgedCounts, control: judgedCounts.optional() })
    .optional()
    .describe('requests since the last call, without 4xx; without it Prometheus is asked'),
})
const waldSum = z.object({
  now: z.number(),
  requests: count,
  failures: count,
  tolerated: z.number().describe('share of failures that is not asked about'),
})
export const analysis = z.object({
  analysis: z.string(),
  release: z.string(),
  verdict: z.enum(['good', 'bad', 'inconclusive', 'environment']),
  because: z.string(),
  moreNeeded: count.describe('requests until a decision is likely'),
  source: z.enum(['prometheus', 'counts']),
  startedAt: time,
  endsAt: time,
  sums: z.object({ badAt: z.number(), floor: z.number(), errors: waldSum, slowness: waldSum }),
  control: z.object({ requests: count, bad: count, slow: count }).nullable(),
  unknown: z.array(z.string()).describe('what could not be asked'),
})

// Maintenance -------------------------------------------------------------------

export const maintenanceMode = z.enum(['read-only', 'full'])
export const maintenanceWindow = z.object({
  id: count,
  environment: z.string(),
  source: z.enum(['policy', 'plan']),
  name: z.string(),
  reason: z.string(),
  startsAt: time,
  endsAt: time,
  noticeAt: time,
  mode: maintenanceMode,
  absorbed: z.array(z.string()).describe('windows of the policy that take place inside it'),
  state: z.enum(['scheduled', 'active', 'ended', 'cancelled']),
  enteredAt: moment,
  enteredBy: z.string().nullable(),
  leftAt: moment,
  leftBy: z.string().nullable(),
  notices: z.array(
    z.object({
      kind: z.string(),
      dueAt: time,
      sentAt: moment,
      outcome: z.enum(['', 'sent', 'short-notice', 'superseded']),
    }),
  ),
})
export const maintenanceWindows = z.object({
  coming: z.array(maintenanceWindow).describe('under way and coming, in order'),
  past: z.array(maintenanceWindow).describe('newest first'),
})
export const maintenanceDetail = maintenanceWindow.extend({
  checklist: z.array(
    z.object({
      list: z.enum(['before', 'during', 'after']),
      item: z.string(),
      title: z.string(),
      state: z.enum(['pass', 'fail', 'unknown', 'waiting', 'attested', 'attestation-missing']),
      evidence: z.string(),
    }),
  ),
  events: z.array(z.object({ id: count, at: time, kind: z.string(), by: z.string(), message: z.string() })),
  pointOfNoReturn: z.object({ at: time, seconds: z.number(), from: z.string() }),
  report: z
    .object({
      at: time,
      window: z.object({ announced: z.string(), actual: z.string() }),
      durationMs: z.number(),
      mode: maintenanceMode,
      steps: z.array(z.object({ at: time, what: z.string(), message: z.string() })),
      versions: z.object({ before: z.string().nullable(), after: z.string().nullable() }),
      deployments: z.array(
        z.object({
          id: count,
          kind: z.string(),
          tag: z.string(),
          state: z.string(),
          tookMs: z.number().nullable(),
        }),
      ),
      mutedAlerts: z.array(z.string()),
      requestsRefused: count.nullable().describe('null: could not be asked'),
      checklist: z.array(z.object({ list: z.string(), title: z.string(), state: z.string(), evidence: z.string() })),
      deviations: z.array(z.string()),
    })
    .nullable(),
})
const maintenanceText = word.max(500)
export const maintenanceTimes = z.strictObject({ startsAt: time, endsAt: time })
export const maintenancePlan = z.strictObject({
  environment: environmentName,
  startsAt: time,
  endsAt: time,
  reason: maintenanceText.describe('users read it'),
  mode: maintenanceMode,
})
export const maintenanceReason = z.strictObject({ reason: maintenanceText })
export const maintenanceAttestation = z.strictObject({
  item: z.string().regex(/^[a-z0-9-]{1,60}$/),
  note: maintenanceText,
})
export const maintenanceStart = z.strictObject({
  mode: maintenanceMode,
  override: maintenanceText.optional().describe('why it begins though lines of the checklist are open'),
})
