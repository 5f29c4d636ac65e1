// Fills the store of a host with what months of operations leave behind, for looking at the console:
// with a policy.yaml that has people:
//   node ops/src/testing/seed-host.ts <folder> <address of production>
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { recordAudit } from '../audit/audit.ts'
import { saveBackup } from '../backup/backup-store.ts'
import { addDeploymentEvent, insertDeployment, updateDeployment } from '../deployments/deployment-store.ts'
import type { DeploymentState } from '../deployments/deployment.ts'
import { writePointer } from '../deployments/pointer-store.ts'
import { hostFolders, type HostConfig } from '../environments/environment.ts'
import { hostConfigFile } from '../environments/host.ts'
import { acknowledgeIncident, openIncident } from '../incidents/incident-store.ts'
import type { SecondCounts } from '../judge/bake-evidence.ts'
import { judge } from '../judge/judge.ts'
import { addOperator } from '../people/change-operator.ts'
import { addSilence, recordChange, saveAlert } from '../alerts/alert-store.ts'
import { saveEscalation } from '../escalation/escalation-store.ts'
import { enqueue, markSent } from '../notify/outbox-store.ts'
import { addHandoffNote } from '../oncall/oncall-store.ts'
import { emptySample } from '../signals/sample.ts'
import { addPublicUpdate } from '../status-page/public-update-store.ts'
import { shippedPolicyFile } from '../policy/read-policy.ts'
import { insertRelease, setVerdict } from '../releases/release-store.ts'
import type { ReleaseManifest } from '../releases/release.ts'
import { openStore, type Store } from '../store.ts'

const [hostDir = '', productionUrl = 'http://127.0.0.1:9'] = process.argv.slice(2)
if (hostDir === '') throw new Error('Usage: node ops/src/testing/seed-host.ts <folder> <address of production>')
const minuteMs = 60_000
const now = Date.now()
const ago = (minutes: number): Date => new Date(now - minutes * minuteMs)

const config: HostConfig = {
  format: 1,
  environments: {
    production: { host: '127.0.0.1', port: 8080, publicUrl: productionUrl },
    staging: { host: '127.0.0.1', port: 8082, publicUrl: 'http://127.0.0.1:18989' },
  },
  ops: { host: 'localhost', port: 8081 },
  slotPorts: { first: 18_100, last: 18_199 },
}
mkdirSync(hostDir, { recursive: true, mode: 0o700 })
writeFileSync(hostConfigFile(hostDir), JSON.stringify(config))
using store = openStore(hostFolders(hostDir).ops)

const password = 'correct horse battery staple'
for (const role of ['viewer', 'operator', 'administrator'] as const)
  await addOperator(store, { username: role, password, role }, { who: 'set-up link', now: ago(60_000) })

// Nina may only look, and is on call: first or second, whichever week it is.
await addOperator(
  store,
  { username: 'nina', password, role: 'viewer', displayName: 'Nina' },
  { who: 'set-up link', now: ago(60_000) },
)
writeFileSync(
  `${hostDir}/policy.yaml`,
  readFileSync(shippedPolicyFile, 'utf8')
    .replace(
      'people: []',
      `people:
  - { id: nina, name: Nina Orlova, phone: '+49 30 1234567', email: nina@dam.local }
  - { id: omar, name: Omar Haddad, phone: '+49 30 7654321', email: omar@dam.local }
  - { id: lena, name: Lena Weiss, email: lena@dam.local, level: 2 }`,
    )
    .replace('rotation: []', 'rotation: [nina, omar]')
    .replace('atOnceFor: [P0], to: [] }', 'atOnceFor: [P0], to: [lena] }'),
)

const digests = ['v1.0.0', 'v1.1.0', 'v1.2.0', 'v1.3.0'].map((tag, index) => release(store, tag, index))
const [first = '', second = '', third = '', fourth = ''] = digests
setVerdict(store, {
  digest: first,
  verdict: 'good',
  because: 'baked in production for 15 minutes',
  now: ago(30_000),
})
setVerdict(store, {
  digest: second,
  verdict: 'good',
  because: 'baked in production for 15 minutes',
  now: ago(9_000),
})
setVerdict(store, {
  digest: third,
  verdict: 'quarantined',
  because: '14 of 190 requests failed (7.4 %), 0.2 % before',
  now: ago(1_500),
})

const deploy = (digest: string, previousDigest: string | null, environment: string, at: Date) =>
  insertDeployment(store, {
    kind: 'deploy',
    environment,
    digest,
    previousDigest,
    because: '',
    requestedBy: 'operator',
    data: {},
    now: at,
  })

const good = deploy(second, first, 'production', ago(9_020))
walk(good.id, ago(9_020), ['gated', 'locked', 'backed-up', 'migrated', 'started', 'warm', 'cut-over', 'baking', 'good'])
updateDeployment(
  store,
  good.id,
  { state: 'good', because: 'baked for 15 minutes: 0.2 % failed', isEnded: true },
  ago(9_000),
)

const bad = deploy(third, second, 'production', ago(1_510))
walk(bad.id, ago(1_510), ['gated', 'locked', 'backed-up', 'migrated', 'started', 'warm', 'cut-over'])
const badAt = looks(bad.id, ago(1_508), 90, 0.075)
const { incident } = openIncident(store, {
  environment: 'production',
  severity: 'P1',
  title: 'v1.2.0 was rolled back in production',
  cause: 'error-rate: 14 of 190 requests failed (7.4 %), 0.2 % before',
  dedupKey: 'production rollback',
  openedBy: 'dam: judge',
  deploymentId: bad.id,
  evidence: {
    deployment: { from: 'v1.1.0', to: 'v1.2.0', by: 'operator' },
    errors: [{ fingerprint: 'TypeError in search', events: 14, users: 9 }],
    commits: ['Search remembers its filters', 'Thumbnails load in order'],
  },
  now: badAt,
})
acknowledgeIncident(store, incident.id, { who: 'operator', now: new Date(badAt.getTime() + 3 * minuteMs) })
walk(bad.id, badAt, ['rolling-back', 'rolled-back', 'verified'])
const after = (seconds: number): string => new Date(badAt.getTime() + seconds * 1000).toISOString()
updateDeployment(
  store,
  bad.id,
  {
    state: 'verified',
    because: 'error-rate: 14 of 190 requests failed (7.4 %), 0.2 % before',
    data: {
      stamps: {
        detectedAt: after(0),
        decidedAt: after(0.2),
        restoredAt: after(0.9),
        verifiedAt: after(14),
        notifiedAt: after(15.5),
      },
    },
    isEnded: true,
  },
  new Date(badAt.getTime() + 16_000),
)

const baking = deploy(fourth, second, 'staging', ago(9))
walk(baking.id, ago(9), ['gated', 'locked', 'backed-up', 'migrated', 'started', 'warm', 'cut-over'])
looks(baking.id, ago(8), 120, 0.002)
updateDeployment(
  store,
  baking.id,
  { state: 'waiting-for-person', because: '310 requests are too few to decide' },
  ago(1),
)

writePointer(
  store,
  {
    environment: 'production',
    fencingToken: 3,
    active: { slot: 'production-1', tag: 'v1.1.0', port: 18_100 },
    control: null,
    maintenance: null,
  },
  ago(1_508),
)
writePointer(
  store,
  {
    environment: 'staging',
    fencingToken: 4,
    active: { slot: 'staging-2', tag: 'v1.3.0', port: 18_102 },
    control: { upstream: { slot: 'staging-1', tag: 'v1.1.0', port: 18_101 }, sharePercent: 10 },
    maintenance: null,
  },
  ago(8),
)
for (const [index, minutes] of [95, 1_535, 2_975, 4_415].entries()) {
  saveBackup(store, {
    id: `${ago(minutes)
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, '')}-production`,
    environment: 'production',
    state: index === 0 ? 'verified' : index === 2 ? 'failed' : 'ok',
    startedAt: ago(minutes).toISOString(),
    endedAt: new Date(ago(minutes).getTime() + 41_000).toISOString(),
    folder: '/backups',
    sizeBytes: index === 2 ? 0 : 48_200_000_000 - index * 310_000_000,
    schemaNumber: 14,
    facts: index === 2 ? {} : { originals: 98_211 - index * 420, rows: 1_904_112 - index * 9_000 },
    message: index === 2 ? 'the disk had 2 % left: make room, then ./dam backup production' : '',
  })
}
for (const [index, minutes] of [14_380, 4_300].entries()) {
  store.run(
    `insert into drill (kind, environment, backup_id, state, started_at, ended_at, report) values ('restore', 'production', ?, ?, ?, ?, ?)`,
    '20250127T020000Z-production',
    index === 1 ? 'passed' : 'failed',
    ago(minutes).toISOString(),
    new Date(ago(minutes).getTime() + 412_000).toISOString(),
    JSON.stringify({
      phasesMs: {
        examine: 11_000,
        restore: 228_000,
        compare: 61_000,
        originals: 74_000,
        boot: 9_000,
        downloads: 29_000,
      },
      message: index === 1 ? '' : '3 of 1 000 sampled originals are damaged',
    }),
  )
}
seedWatch()
recordAudit(store, { who: 'operator', action: 'deploy.start', subject: 'production v1.2.0', now: ago(1_510) })

function release(into: Store, tag: string, index: number): string {
  const hash = (text: string): string => createHash('sha256').update(`${tag} ${text}`).digest('hex')
  const manifest: ReleaseManifest = {
    format: 1,
    tag,
    version: tag.slice(1),
    commit: hash('commit').slice(0, 40),
    committedAt: ago(40_000 - index * 13_000).toISOString(),
    nodeVersion: '24.21.0',
    lockfileHash: hash('lockfile'),
    toolchainHash: hash('toolchain'),
    configHash: hash('config'),
    sbomHash: hash('sbom'),
    schema: { min: 11 + index, max: 11 + index },
    migrations: Array.from({ length: 11 + index }, (_, number) => ({
      app: 'backend',
      number: number + 1,
      name: number === 10 + index ? 'ratings-of-users' : 'earlier',
      checksum: createHash('sha256').update(String(number)).digest('hex'),
      previousReleaseRuns: true,
      reason: number === 10 + index ? 'it adds a table nobody reads yet' : '',
    })),
    files: { 'package.json': hash('package.json') },
  }
  return insertRelease(into, { digest: hash('artifact'), manifest }, ago(40_000 - index * 13_000)).digest
}

function walk(id: number, from: Date, states: readonly DeploymentState[]): void {
  let at = from.getTime()
  for (const [index, state] of states.entries()) {
    addDeploymentEvent(store, id, { state, step: state, status: 'started', now: new Date(at) })
    at += 1_100 + index * 1_700
    addDeploymentEvent(store, id, { state, step: state, status: 'done', message: '', now: new Date(at) })
    updateDeployment(store, id, { state }, new Date(at))
  }
}

/** What the judge really says at its looks; gives the moment of the last one. */
function looks(id: number, from: Date, seconds: number, failureRate: number): Date {
  const start = Math.floor(from.getTime() / 1000) * 1000
  const counts = (length: number, first: number, rate: number): SecondCounts[] => {
    let owed = 0
    return Array.from({ length }, (_, index) => {
      owed += 10 * rate
      const bad = Math.floor(owed)
      owed -= bad
      return { second: start / 1000 + first + index, total: 10, bad, slow: index % 40 === 7 ? 1 : 0 }
    })
  }
  const fresh = counts(seconds, 0, failureRate)
  for (let at = 2; at <= seconds; at += 2) {
    const look = judge({
      cutOverAt: start,
      now: start + at * 1000,
      endsAt: start + 900_000,
      before: counts(3_600, -3_600, 0.002),
      control: { seconds: counts(at, 0, 0.002), readiness: [], web: null, worker: null },
      fresh: { seconds: fresh.slice(0, at), readiness: [], web: null, worker: null },
      topUp: [],
      newErrors: [],
      databaseAnswers: true,
      databaseOutages: [],
    })
    const moment = new Date(start + at * 1000)
    const { judgement } = look
    const text = judgement.verdict === 'bad' ? judgement.detail : judgement.because
    addDeploymentEvent(store, id, {
      state: 'baking',
      step: 'bake',
      status: 'note',
      message: text,
      detail: { look },
      now: moment,
    })
    if (judgement.verdict === 'bad') return moment
  }
  return new Date(start + seconds * 1000)
}

/** A month of signals with one bad hour, an alert that fires, whom it called, and what the public was told. */
function seedWatch(): void {
  const wave = (at: number, period: number): number => (1 + Math.sin((2 * Math.PI * at) / period)) / 2
  store.transaction(() => {
    for (const environment of ['production', 'staging']) {
      const add = (at: number, stepMs: number): void => {
        const day = wave(at, 86_400_000)
        const isBad = at > now - 26 * 60 * minuteMs && at < now - 25 * 60 * minuteMs
        const total = Math.round((stepMs / 1_000) * (environment === 'staging' ? 0.4 : 3 + 9 * day))
        const bad = Math.round(total * (isBad ? 0.074 : wave(at, 730_000) > 0.97 ? 0.004 : 0))
        const slow = Math.round(total * (isBad ? 0.2 : 0.04))
        const sample = {
          ...emptySample(),
          requests: { total, bad },
          durations: { '0.1': Math.round(total * 0.7), '0.5': total - Math.round(total * 0.7) - slow, '2': slow },
          uploads: { total: Math.round(total / 9), bad: isBad ? 1 : 0 },
          searches: { total: Math.round(total / 4), bad: Math.round(total / 60) },
          up: { system: isBad && at % 600_000 < 60_000 ? 0 : 1, database: 1, storage: 1, cache: 1 },
          gauges: {
            cpu: 0.12 + 0.3 * day + 0.05 * wave(at, 410_000),
            memory: 0.52 + 0.1 * wave(at, 5_000_000),
            disk: 0.61 + (at - now) / (400 * 86_400_000),
            network: 2_000_000 + 9_000_000 * day,
            activeUsers: Math.round(4 + 40 * day),
            poolWaiting: isBad ? 7 : 0,
            queueAge: 2 + 6 * wave(at, 910_000),
            satisfaction: 0.87,
            ratings: 40,
            backupAge: 95 * 60,
          },
        }
        store.run(
          'insert into sample (environment, resolution, at, data) values (?, ?, ?, ?)',
          environment,
          stepMs,
          at,
          JSON.stringify(sample),
        )
      }
      const fineFrom = Math.floor((now - 3 * 3_600_000) / 60_000) * 60_000
      // Every fifth minute of a month tells the same story as each of them.
      for (let at = fineFrom - 60_000 * 5 * 9_000; at < fineFrom; at += 60_000 * 5) add(at, 60_000)
      for (let at = fineFrom; at < now; at += 10_000) add(at, 10_000)
    }
    for (let age = 89; age >= 0; age--) {
      const isMissing = age > 70 && age % 9 === 0
      if (isMissing) continue
      store.run(
        'insert into uptime_day (environment, day, seen_seconds, down_seconds) values (?, ?, 86000, ?)',
        'production',
        new Date(now - age * 86_400_000).toISOString().slice(0, 10),
        age === 1 ? 1_260 : age === 33 ? 120 : 0,
      )
    }
  })
  const since = ago(4)
  const state = (phase: 'firing' | 'pending' | 'inactive', value: number) => ({
    phase,
    since: since.toISOString(),
    firingSince: phase === 'firing' ? since.toISOString() : null,
    value,
    lookedAt: ago(0).toISOString(),
  })
  saveAlert(store, { environment: 'staging', rule: 'disk-high', state: state('pending', 0.86), incidentId: null })
  recordChange(store, 'staging', 'disk-high', state('pending', 0.86))
  recordChange(store, 'production', 'error-rate-high', state('inactive', 0.002))
  addSilence(store, {
    environment: 'staging',
    rule: 'memory-high',
    reason: 'load test until the evening',
    by: 'operator',
    from: ago(5),
    until: new Date(now + 3_600_000),
    now: ago(5),
  })
  saveEscalation(store, {
    incidentId: incident.id,
    enteredAt: badAt.toISOString(),
    level: 1,
    round: 1,
    called: ['1:primary'],
    nextAt: new Date(now + 40 * minuteMs).toISOString(),
    acknowledgedBy: 'operator',
    acknowledgedUntil: new Date(now + 40 * minuteMs).toISOString(),
    snoozedUntil: null,
  })
  enqueue(
    store,
    {
      event: 'incident-opened',
      subject: `incident:${incident.id}`,
      severity: 'P1',
      title: incident.title,
      text: incident.cause,
      facts: [],
      links: [],
      environment: 'production',
      isResolution: false,
      at: badAt.toISOString(),
    },
    { channels: ['slack:#dam-incidents', 'pagerduty'], key: 'opened', now: badAt },
  )
  const proofs = ['200 ok', '202 {"status":"success","dedup_key":"dam/incident:1"}']
  for (const [index, outcome] of proofs.entries()) markSent(store, index + 1, outcome, badAt)
  addPublicUpdate(store, {
    incidentId: incident.id,
    title: 'Search gave errors',
    state: 'watching',
    text: 'Some searches ended with an error for a few minutes. The version before serves again; we keep watching.',
    by: 'operator',
    now: badAt,
  })
  addHandoffNote(store, {
    by: 'operator',
    text: 'v1.2.0 broke search.\nWait for the fix before the next try.',
    now: ago(900),
  })
}
