import type { Release } from '../../releases/release.ts'
import type { Store } from '../../store.ts'
import { dayMs, type GatePolicy } from '../gate-policy.ts'
import { recordGate } from '../gate-store.ts'
import { checkAdvisories } from './advisories.ts'
import { readAuditExceptions } from './audit-exceptions.ts'
import type { CheckLine } from './check-line.ts'
import { checkLicences, readReviewedLicences } from './licences.ts'
import { checkLockfiles } from './lockfile.ts'
import { readSbom } from './sbom.ts'
import { readAllowedSecrets, scanForSecrets } from './secret-scan.ts'

export type ScanOptions = {
  store: Store
  policy: GatePolicy
  release: Release
  /** Verified files of the artifact, by path. */
  files: ReadonlyMap<string, Uint8Array>
  registry: string
  /** Looks at a running instance of this very release. */
  checkHeaders: () => Promise<CheckLine>
  by: string
}

export type ScanResult = { verdict: 'pass' | 'fail' | 'unknown'; lines: CheckLine[] }

/**
 * The five checks of the security scan. It goes on record as passed when all passed and as failed when one failed; when one is
 * only not known, nothing goes on record and the gate stays what it was.
 */
export async function scanRelease(options: ScanOptions, now: Date): Promise<ScanResult> {
  const { store, policy, release, files } = options
  const components = await attempt('advisories', () => readSbom(textOf(files, 'sbom.json')))
  const lines: CheckLine[] = [
    await line('advisories', () =>
      checkAdvisories(
        demand(components),
        {
          registry: options.registry,
          exceptions: readAuditExceptions(textOf(files, 'security/audit.json')),
          reviewDays: policy.advisoryReviewDays,
        },
        now,
      ),
    ),
    await line('secrets', () =>
      scanForSecrets(files, readAllowedSecrets(textOf(files, 'security/allowed-secrets.json'))),
    ),
    await line('licences', () =>
      checkLicences(demand(components), readReviewedLicences(textOf(files, 'security/licences.json'))),
    ),
    await line('headers', options.checkHeaders),
    await line('lockfile', () =>
      checkLockfiles({
        pnpmLock: textOf(files, 'pnpm-lock.yaml'),
        pnpmWorkspace: textOf(files, 'pnpm-workspace.yaml'),
        toolchainLock: textOf(files, 'toolchain/package-lock.json'),
      }),
    ),
  ]
  const verdict = verdictOf(lines)
  if (verdict !== 'unknown') {
    recordGate(
      store,
      {
        kind: 'security',
        digest: release.digest,
        environment: '',
        verdict,
        evidence: { summary: summaryOf(lines), details: { lines } },
        by: options.by,
        expiresAt: new Date(now.getTime() + policy.securityDays * dayMs).toISOString(),
      },
      now,
    )
  }
  return { verdict, lines }
}

export function verdictOf(lines: readonly CheckLine[]): 'pass' | 'fail' | 'unknown' {
  if (lines.some(({ state }) => state === 'fail')) return 'fail'
  return lines.length > 0 && lines.every(({ state }) => state === 'pass') ? 'pass' : 'unknown'
}

const summaryOf = (lines: readonly CheckLine[]): string =>
  lines
    .toSorted((a, b) => Number(a.state === 'pass') - Number(b.state === 'pass'))
    .map(({ summary }) => summary)
    .join('; ')

/** A check that cannot be made is not known; its message stays in the evidence. */
async function line(check: CheckLine['check'], look: () => CheckLine | Promise<CheckLine>): Promise<CheckLine> {
  const result = await attempt(check, look)
  return 'failed' in result ? result.failed : result.value
}

type Attempt<T> = { value: T } | { failed: CheckLine }

async function attempt<T>(check: CheckLine['check'], work: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await work() }
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    return { failed: { check, state: 'unknown', summary: `${check} not known: ${because}`, findings: [] } }
  }
}

function demand<T>(result: Attempt<T>): T {
  if ('failed' in result) throw new Error(result.failed.summary)
  return result.value
}

function textOf(files: ReadonlyMap<string, Uint8Array>, name: string): string {
  const bytes = files.get(name)
  if (!bytes) throw new Error(`the artifact has no ${name}`)
  return new TextDecoder().decode(bytes)
}
