import { defaultBakePolicy } from '../judge/bake-policy.ts'
import type { ReadPolicy } from '../policy/read-policy.ts'

/** A text file that an engine reads. */
export type EngineFile = { path: string; text: string; isExecutable?: boolean }

/** All that the files of other engines say in numbers and names. Times are seconds. */
export type EngineFacts = {
  policyHash: string
  tag: string
  /** Without a tag. */
  image: string
  publicUrl: string
  domain: string
  /** Where a release listens inside its container or pod. */
  port: number
  opsPort: number
  uploadMaxBytes: number
  databasePool: number
  /** A process ends by itself this long after SIGTERM. */
  drainSeconds: number
  /** Until the old release gets no new requests. */
  unroutedSeconds: number
  longestUploadSeconds: number
  controlSharePercent: number
  bakeSeconds: number
  lookSeconds: number
  suspectSeconds: number
  readyEverySeconds: number
  failedReadiness: number
  cpuPercent: number
  backupAt: { hour: number; minute: number; zone: string }
}

/** The numbers of DAM's own settings that the files repeat. */
export type SettingFacts = { port: number; opsPort: number; uploadMaxBytes: number; databasePool: number }

export function engineFactsOf(
  { policy, hash }: ReadPolicy,
  settings: SettingFacts,
  names: { tag: string; image: string },
): EngineFacts {
  const { production } = policy.deploy.bake
  const cpu = policy.alerts.find(({ signal }) => signal === 'cpu')
  if (!cpu) throw new Error('The policy has no alert about cpu; its `clear` is the load from which pods are added.')
  if (policy.backup.every !== 86_400_000)
    throw new Error('A schedule of other engines can say "daily" only: backup.every of the policy must be 24h.')
  const [hour = 0, minute = 0] = policy.backup.at.split(':').map(Number)
  return {
    policyHash: hash,
    ...names,
    ...settings,
    publicUrl: policy.service.productionUrl,
    domain: new URL(policy.service.productionUrl).hostname,
    drainSeconds: 30,
    unroutedSeconds: 5,
    longestUploadSeconds: 600,
    controlSharePercent: Math.round(policy.deploy.controlShare * 100),
    bakeSeconds: production.duration / 1000,
    lookSeconds: production.thenEvery / 1000,
    suspectSeconds: production.suspectUntil / 1000,
    readyEverySeconds: production.lookEvery / 1000,
    failedReadiness: defaultBakePolicy.failedReadiness,
    cpuPercent: Math.round(cpu.clear.value * 100),
    backupAt: { hour, minute, zone: policy.service.zone },
  }
}

/** First lines of every file: what made it, from which policy. */
export const header = (facts: EngineFacts, engine: string): string =>
  `# Made by ./dam export ${engine} from policy ${facts.policyHash}. Change the policy or an overlay, not this file;\n# ./dam export ${engine} --check says when it is behind.\n`

/** What a process in a container is told; secrets come beside it. */
export const plainSettings = (facts: EngineFacts): Record<string, string> => ({
  DAM_DATA: '/data',
  DAM_DATABASE_POOL: String(facts.databasePool),
  DAM_LOG_STDOUT: 'yes',
  DAM_PUBLIC_URL: facts.publicUrl,
  DAM_TRUST_PROXY: 'yes',
  DAM_UPLOAD_MAX_BYTES: String(facts.uploadMaxBytes),
  HOST: '0.0.0.0',
  PORT: String(facts.port),
})
