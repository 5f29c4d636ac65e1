import { readFileSync } from 'node:fs'
import { latestBackup } from '../backup/backup-store.ts'
import { listDeployments } from '../deployments/deployment-store.ts'
import { activeRelease } from '../deployments/request-deployment.ts'
import type { Environment } from '../environments/environment.ts'
import { runningDatabaseUrl } from '../environments/running-database.ts'
import { heartbeatFile } from '../dead-man/heartbeat-file.ts'
import { evaluateRollback } from '../gates/evaluate-rollback.ts'
import { gatePolicyOf } from '../gates/wire-gates.ts'
import { readRollbackFacts } from '../gates/rollback-facts.ts'
import { onCallBetween } from '../oncall/schedule.ts'
import { readSchedule } from '../oncall/oncall-store.ts'
import type { Policy } from '../policy/policy.ts'
import { formatDuration } from '../policy/units.ts'
import { inspectRelease } from '../releases/release-condition.ts'
import type { Store } from '../store.ts'
import { validAttestations } from '../verification/attestation-store.ts'
import { findHealth } from '../verification/find-facts.ts'
import { listNotices } from './window-store.ts'
import type { MaintenanceWindow } from './window.ts'

export type ChecklistPart = 'before' | 'during' | 'after'

export type MaintenanceLine = {
  list: ChecklistPart
  /** What `./dam maintenance attest` calls it. */
  item: string
  title: string
  /** `waiting`: its time has not come; `attestation-missing`: only a person can know, and nobody has said so. */
  state: 'pass' | 'fail' | 'unknown' | 'waiting' | 'attested' | 'attestation-missing'
  evidence: string
}

export type ChecklistDeps = {
  store: Store
  policy: Policy
  environment: Environment
  /** Null: the DAM of `./dam up`. */
  hostDir: string | null
  /** Of the operations' store, with the engine's heartbeat. */
  opsDir: string
}

type Finding = Pick<MaintenanceLine, 'state' | 'evidence'>

const pass = (evidence: string): Finding => ({ state: 'pass', evidence })
const fail = (evidence: string): Finding => ({ state: 'fail', evidence })
const waiting: Finding = { state: 'waiting', evidence: 'not yet' }
const person: Finding = { state: 'attestation-missing', evidence: '' }

const heartbeatMaxAgeMs = 60_000

/** Whether a line lets maintenance begin. */
export const isMet = ({ state }: MaintenanceLine): boolean => state === 'pass' || state === 'attested'

/** Items of the policy's three lists in their order, with what decides each. An item the program does not know needs a person's word. */
const items: Record<string, string> = {
  'Users notified': 'notified',
  'Maintenance window scheduled': 'scheduled',
  'Backup created': 'backup',
  'Rollback plan ready': 'rollback',
  'Team on standby': 'standby',
  'System in maintenance mode': 'mode',
  'Updates applied': 'updates',
  'Tests run': 'tests',
  'Monitoring active': 'monitoring',
  'System verified': 'verified',
  'Post-maintenance report': 'report',
}

/** The runbook's three checklists for a window, from what machines find and people vouch for. */
export async function evaluateMaintenance(
  deps: ChecklistDeps,
  window: MaintenanceWindow,
  now: Date,
): Promise<MaintenanceLine[]> {
  const { checklists } = deps.policy
  const attested = validAttestations(deps.store, `maintenance:${window.id}`, now)
  const lines: MaintenanceLine[] = []
  for (const [list, titles] of [
    ['before', checklists.maintenanceBefore],
    ['during', checklists.maintenanceDuring],
    ['after', checklists.maintenanceAfter],
  ] as const) {
    for (const title of titles) {
      const item = items[title] ?? title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
      const finding = await find(deps, window, list, item, now)
      const word =
        finding.state === 'attestation-missing' || finding.state === 'unknown' ? attested.get(item) : undefined
      lines.push({
        list,
        item,
        title,
        ...(word
          ? { state: 'attested', evidence: `${word.by}: ${word.note}` }
          : finding.evidence === ''
            ? { ...finding, evidence: `./dam maintenance attest ${item} --note "<what was seen>"` }
            : finding),
      })
    }
  }
  return lines
}

async function find(
  deps: ChecklistDeps,
  window: MaintenanceWindow,
  list: ChecklistPart,
  item: string,
  now: Date,
): Promise<Finding> {
  const { store, environment, policy } = deps
  const isOver = window.state === 'ended'
  switch (item) {
    case 'notified':
      return list === 'before' ? findNotified(store, window) : findToldEnd(store, window)
    case 'scheduled':
      if (window.enteredAt !== null) return pass(`entered ${window.enteredAt}`)
      if (now.toISOString() < window.startsAt) return fail(`it begins at ${window.startsAt}`)
      return now.toISOString() < window.endsAt
        ? pass(`until ${window.endsAt}`)
        : fail(`it was over at ${window.endsAt}`)
    case 'backup': {
      const backup = latestBackup(store, environment.name)
      if (!backup?.endedAt) return fail(`there is none; ./dam backup ${environment.name}`)
      const asOf = window.enteredAt ?? now.toISOString()
      const ageMs = Math.max(0, Date.parse(asOf) - Date.parse(backup.endedAt))
      const { backupValidFor } = policy.deploy.gates
      const age = `${backup.id} is ${formatDuration(Math.round(ageMs / 60_000) * 60_000)} old`
      return ageMs <= backupValidFor ? pass(age) : fail(`${age}, at most ${formatDuration(backupValidFor)}`)
    }
    case 'rollback':
      return findRollback(deps, now)
    case 'standby': {
      if (policy.people.length === 0) return person
      const gap = onCallBetween(
        readSchedule(store, policy, now),
        new Date(window.startsAt),
        new Date(window.endsAt),
      ).find(({ primary }) => primary === null)
      return gap ? fail(`nobody is on call from ${gap.from}`) : pass('on call for the whole window')
    }
    case 'mode':
      if (window.state === 'active') return pass(`${window.mode} since ${window.enteredAt ?? ''}`)
      return isOver && window.enteredAt ? pass(`${window.mode} until ${window.leftAt ?? ''}`) : waiting
    case 'updates':
    case 'tests': {
      if (window.enteredAt === null) return waiting
      const inside = deploymentsOf(store, window)
      const good = inside.filter(({ state }) => state === 'good' || state === 'verified')
      if (inside.some(({ endedAt }) => endedAt === null))
        return { state: 'waiting', evidence: 'a deployment is running' }
      if (inside.length > good.length)
        return fail(`a deployment ${inside.find((one) => !good.includes(one))?.state ?? ''}`)
      if (good.length === 0) return person
      const names = good.map(({ tag, id }) => `${tag} (deployment ${id})`).join(', ')
      return pass(item === 'updates' ? names : `the smoke journey and the bake of ${names}`)
    }
    case 'monitoring':
      return window.state === 'ended' ? pass('watched until the end') : findMonitoring(deps.opsDir, now)
    case 'verified': {
      if (!isOver) return waiting
      const health = await findHealth(environment.publicUrl)
      return { state: health.state, evidence: health.evidence }
    }
    case 'report':
      if (!isOver) return waiting
      return window.data.report ? pass(`./dam maintenance report ${window.id}`) : fail('none was written')
    default:
      return window.enteredAt === null && list !== 'before' ? waiting : person
  }
}

function findNotified(store: Store, window: MaintenanceWindow): Finding {
  const sent = listNotices(store, window.id).filter(
    ({ kind, sentAt, outcome }) => sentAt !== null && outcome !== 'superseded' && kind !== 'end',
  )
  const [first] = sent
  if (!first) return fail('nobody was told')
  return pass(`told at ${first.sentAt ?? ''}${first.outcome === 'short-notice' ? ', at short notice' : ''}`)
}

function findToldEnd(store: Store, window: MaintenanceWindow): Finding {
  if (window.state !== 'ended') return waiting
  const end = listNotices(store, window.id).find(({ kind, sentAt }) => kind === 'end' && sentAt !== null)
  return end ? pass(`told at ${end.sentAt ?? ''}`) : fail('the end was not told yet')
}

/** The gate's own evaluator on a host; a local DAM goes back to its backup. */
async function findRollback(deps: ChecklistDeps, now: Date): Promise<Finding> {
  const { store, hostDir, environment, policy } = deps
  const release = hostDir === null ? null : activeRelease(store, environment.name)
  if (hostDir !== null && !release) return pass('no release serves, so there is nothing to go back to')
  if (hostDir === null || !release) {
    const backup = latestBackup(store, environment.name)
    return backup ? pass(`./dam restore --from ${backup.id}`) : fail('there is no backup to go back to')
  }
  const facts = await readRollbackFacts(
    {
      store,
      environment: environment.name,
      databaseUrl: runningDatabaseUrl(environment),
      latestBackup: latestBackup(store, environment.name),
      conditionOf: (target) => inspectRelease(hostDir, target),
      withinMs: policy.deploy.rollbackWithin,
    },
    release,
  )
  const { state, evidence } = evaluateRollback(facts, environment.name, release, gatePolicyOf(policy), now)
  return { state: state === 'pass' ? 'pass' : state === 'unknown' ? 'unknown' : 'fail', evidence: evidence.summary }
}

function findMonitoring(opsDir: string, now: Date): Finding {
  try {
    const { at } = JSON.parse(readFileSync(heartbeatFile(opsDir), 'utf8')) as { at: string }
    const ageMs = now.getTime() - Date.parse(at)
    return ageMs <= heartbeatMaxAgeMs
      ? pass('the engine looked within a minute and nothing was late')
      : fail(`the engine was last well at ${at}`)
  } catch {
    return fail('the engine does not run: ./dam up or ./dam host up')
  }
}

/** Deployments that began between entering and leaving. */
export const deploymentsOf = (store: Store, window: MaintenanceWindow) =>
  listDeployments(store, { environment: window.environment, limit: 50 }).filter(
    ({ requestedAt }) =>
      window.enteredAt !== null &&
      requestedAt >= window.enteredAt &&
      (window.leftAt === null || requestedAt <= window.leftAt),
  )
