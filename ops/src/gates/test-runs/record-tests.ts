import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import * as z from 'zod'
import type { Release } from '../../releases/release.ts'
import type { Store } from '../../store.ts'
import { type GatePolicy, hourMs, minuteMs } from '../gate-policy.ts'
import { recordGate } from '../gate-store.ts'
import { judgeTests, type TestRecord, testRecordSchema } from './test-record.ts'

/**
 * Takes the record of a run made elsewhere. Throws, saying why, unless it is of the release's very commit with nothing changed.
 * It expires by when the tests ran, not by when it was handed in.
 */
export function acceptTestReport(
  options: { store: Store; policy: GatePolicy; release: Release; by: string; source: string },
  text: string,
  now: Date,
): 'pass' | 'fail' {
  const record = parseReport(text)
  const { release } = options
  if (record.commit !== release.commit) {
    throw new Error(
      `The report is of commit ${record.commit.slice(0, 12)}, ${release.tag} is ${release.commit.slice(0, 12)}. Run ./dam test --record on the release's commit.`,
    )
  }
  if (!record.treeIsClean) {
    throw new Error(
      `The report is of sources that differ from ${release.tag}. Run ./dam test --record on a clean checkout.`,
    )
  }
  const endedAtMs = Date.parse(record.endedAt)
  if (endedAtMs > now.getTime() + minuteMs || Date.parse(record.startedAt) > endedAtMs) {
    throw new Error(
      `The report says it ended at ${record.endedAt}, which cannot be. Check the clock of the other machine.`,
    )
  }
  const reportHash = sha256(text)
  return keepTestRecord({ ...options, record, hash: reportHash, how: `reported from ${options.source}` }, now)
}

/** Puts a run on record with its verdict. `hash` is of the log or report that shows it. */
export function keepTestRecord(
  options: {
    store: Store
    policy: GatePolicy
    release: Release
    by: string
    record: TestRecord
    hash: string
    how: string
  },
  now: Date,
): 'pass' | 'fail' {
  const { store, policy, release, by, record, hash, how } = options
  const { verdict, evidence } = judgeTests(record)
  recordGate(
    store,
    {
      kind: 'tests',
      digest: release.digest,
      environment: '',
      verdict,
      evidence: { summary: `${evidence.summary}; ${how} on ${record.machine}`, hash, details: record },
      by,
      expiresAt: new Date(Date.parse(record.endedAt) + policy.testsHours * hourMs).toISOString(),
    },
    now,
  )
  return verdict
}

function parseReport(text: string): TestRecord {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new Error('The report is not JSON. ./dam test --record <file> writes one.')
  }
  const parsed = testRecordSchema.safeParse(json)
  if (!parsed.success)
    throw new Error(`The report is not one of ./dam test --record:\n${z.prettifyError(parsed.error)}`)
  return parsed.data
}

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

export const machineName = (): string =>
  `${hostname()} (${process.platform} ${process.arch}, Node ${process.versions.node})`
