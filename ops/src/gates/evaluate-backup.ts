import type { Assessment } from './evaluate-gates.ts'
import type { BackupFacts } from './gate-deps.ts'
import { type GatePolicy, minuteMs } from './gate-policy.ts'

/** A backup counts while it is young, whole, and was begun after the last change of the schema. */
export function evaluateBackup(facts: BackupFacts, environment: string, policy: GatePolicy, now: Date): Assessment {
  const remedy = `./dam backup ${environment}`
  const computed = { by: 'dam', at: now.toISOString(), expiresAt: null, recordId: null }
  switch (facts.state) {
    case 'unknown':
      return { ...computed, state: 'unknown', evidence: { summary: facts.because }, remedy }
    case 'none':
      return { ...computed, state: 'fail', evidence: { summary: facts.because }, remedy }
    case 'nothing-to-back-up':
      return { ...computed, state: 'pass', evidence: { summary: facts.because, details: facts }, remedy: null }
    case 'found':
      break
  }
  const { backup, hash, newestMigration } = facts
  // Its moment is the start: what was written while it ran is not promised to be in it.
  const takenAtMs = Date.parse(backup.startedAt)
  const expiresAtMs = takenAtMs + policy.backupMinutes * minuteMs
  const minutes = Math.max(0, Math.floor((now.getTime() - takenAtMs) / minuteMs))
  const base = {
    by: 'dam',
    at: backup.startedAt,
    expiresAt: new Date(expiresAtMs).toISOString(),
    recordId: null,
  }
  const evidence = (summary: string) => ({ summary, link: backup.folder, hash, details: facts })
  if ((backup.state !== 'ok' && backup.state !== 'verified') || backup.environment !== environment) {
    const what = backup.environment === environment ? backup.state : `of ${backup.environment}`
    return {
      ...base,
      state: 'fail',
      evidence: evidence(`backup ${backup.id} is ${what} ${backup.message}`.trim()),
      remedy,
    }
  }
  if (hash === '' || Number.isNaN(takenAtMs) || takenAtMs > now.getTime() + minuteMs) {
    return {
      ...base,
      at: null,
      expiresAt: null,
      state: 'unknown',
      evidence: evidence(`backup ${backup.id} has no usable date or checksum`),
      remedy,
    }
  }
  if (newestMigration && takenAtMs <= Date.parse(newestMigration.appliedAt)) {
    const because = `backup ${backup.id} is older than migration ${newestMigration.label} (${newestMigration.appliedAt})`
    return { ...base, state: 'stale', evidence: evidence(because), remedy }
  }
  if (expiresAtMs <= now.getTime()) {
    const because = `backup ${backup.id} is ${minutes} minutes old, allowed are ${policy.backupMinutes}`
    return { ...base, state: 'stale', evidence: evidence(because), remedy }
  }
  const isDrilled = backup.state === 'verified' ? ', restored in a drill' : ''
  const passed = `backup ${backup.id}, ${minutes} minutes old, ${(backup.sizeBytes / 1e6).toFixed(1)} MB${isDrilled}`
  return { ...base, state: 'pass', evidence: evidence(passed), remedy: null }
}
