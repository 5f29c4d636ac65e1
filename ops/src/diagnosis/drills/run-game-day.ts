import { setTimeout as sleep } from 'node:timers/promises'
import type { PlaybookName } from '../../policy/policy.ts'
import type { CauseName } from '../causes.ts'
import { diagnose, type Diagnosis } from '../diagnose.ts'
import { keepDiagnosis } from '../diagnosis-store.ts'
import type { DiagnosisPlace } from '../place.ts'
import { topCause } from '../rank-causes.ts'
import { beginInjection, endInjection } from './injection-store.ts'
import { type Load, startLoad } from './load.ts'
import { takeBack } from './undo.ts'
import { type DrillPlace, type Injected, type Variant, variantsOf } from './variants.ts'

export type GameDayReport = {
  variant: string
  describe: string
  expected: CauseName
  named: CauseName | null
  isRight: boolean
  /** Milliseconds since the injection; null when it did not come to it. */
  detectedMs: number | null
  diagnosedMs: number | null
  /** Since the fault was taken back, until the issue was not seen any more. */
  resolvedMs: number | null
  evidence: string
  message: string
}

const detectBoundMs = 90_000
const resolveBoundMs = 60_000

/** Whether the environment may be hurt: never production, whatever it is called for. */
export function refuseProduction({ environment }: Pick<DiagnosisPlace, 'environment'>, productionUrl: string): void {
  if (/prod|live/i.test(environment.name) || environment.publicUrl === productionUrl.replace(/\/+$/, ''))
    throw new Error(`${environment.name} is production; game days are for staging or a local DAM.`)
}

/** Injects one issue, waits until its playbook names a cause, takes it back, and scores the three times. Cleans up in any case. */
export async function runGameDay(
  place: DiagnosisPlace,
  input: {
    issue: PlaybookName
    drill: DrillPlace
    variant?: string
    authorization: string
    who: string
    signal: AbortSignal
    say: (line: string) => void
    /** Requests a second while it lasts. */
    perSecond?: number
  },
): Promise<GameDayReport> {
  const variants = variantsOf(input.issue, input.drill)
  const variant = input.variant
    ? variants.find(({ name }) => name === input.variant)
    : variants[Math.floor(input.drill.random() * variants.length)]
  if (!variant)
    throw new Error(
      variants.length === 0
        ? `Nothing of DAM runs for ${input.drill.dataDir}; start it first.`
        : `There is no "${input.variant}" of ${input.issue}. There is: ${variants.map(({ name }) => name).join(', ')}`,
    )
  const { address, random } = input.drill
  const load = startLoad({ address, authorization: input.authorization, perSecond: input.perSecond ?? 8, random })
  try {
    await sleep(1_000)
    return await injectAndScore(place, variant, load, input)
  } finally {
    await load.stop()
  }
}

async function injectAndScore(
  place: DiagnosisPlace,
  variant: Variant,
  load: Load,
  { who, signal, say }: { who: string; signal: AbortSignal; say: (line: string) => void },
): Promise<GameDayReport> {
  const { store, environment } = place
  const { issue, undo } = variant
  const report: GameDayReport = {
    variant: variant.name,
    describe: variant.describe,
    expected: variant.expected,
    named: null,
    isRight: false,
    detectedMs: null,
    diagnosedMs: null,
    resolvedMs: null,
    evidence: '',
    message: '',
  }
  const id = beginInjection(store, {
    environment: environment.name,
    issue,
    variant: variant.name,
    undo,
    who,
    now: new Date(),
  })
  const startedAt = performance.now()
  const since = (): number => Math.round(performance.now() - startedAt)
  let injected: Injected | undefined
  let isTakenBack = false
  try {
    say(`injecting: ${variant.describe}`)
    const done = await variant.inject()
    injected = done
    const there = done.cdnUrl === undefined ? place : { ...place, cdnUrl: done.cdnUrl }
    while (report.named === null && since() < detectBoundMs && !signal.aborted) {
      const diagnosis: Diagnosis = await diagnose({ ...there, now: new Date() }, issue)
      if (report.detectedMs === null && (hasSymptom(load) || diagnosis.causes.length > 0)) report.detectedMs = since()
      const top = topCause(diagnosis.causes)
      if (!top) continue
      report.diagnosedMs = since()
      report.named = top.cause
      report.evidence = top.evidence[0] ?? ''
      keepDiagnosis(store, diagnosis, { who, now: new Date() })
    }
    report.isRight = report.named === variant.expected
    say(
      report.named === null
        ? 'nothing was named'
        : `named: ${report.named} after ${report.diagnosedMs} ms: ${report.evidence}`,
    )
    await done.close()
    for (const step of undo) await takeBack(step)
    isTakenBack = true
    const takenBackAt = performance.now()
    const isOver = async (): Promise<boolean> => {
      if (done.cdnUrl !== undefined) return true
      const diagnosis = await diagnose({ ...place, gapMs: 700, now: new Date() }, issue)
      return (
        ![
          'database-hung',
          'lock-blocker',
          'connections-exhausted',
          'slow-statement',
          'database-read-only',
          'storage-lost',
        ].includes(diagnosis.causes.find(({ cause }) => cause === variant.expected)?.cause ?? '') ||
        isOnlyPast(diagnosis, variant.expected)
      )
    }
    while (!(await isOver()) && performance.now() - takenBackAt < resolveBoundMs && !signal.aborted) await sleep(300)
    report.resolvedMs = Math.round(performance.now() - takenBackAt)
    say(`taken back; over after ${report.resolvedMs} ms`)
    return report
  } catch (error) {
    report.message = error instanceof Error ? error.message : String(error)
    return report
  } finally {
    if (!isTakenBack) {
      await injected?.close()
      for (const step of undo) await takeBack(step)
    }
    endInjection(store, id, new Date())
  }
}

const hasSymptom = (load: Load): boolean => {
  const { failed, slow } = load.seen()
  return failed + slow > 0
}

/** Errors stay in the log for ten minutes after their cause is gone; they do not speak of the present. */
const isOnlyPast = (diagnosis: Diagnosis, expected: CauseName): boolean =>
  (diagnosis.causes.find(({ cause }) => cause === expected)?.evidence ?? []).every((line) =>
    / errors are about /.test(line),
  )

export const startGameDayRow = (
  store: DiagnosisPlace['store'],
  row: { issue: PlaybookName; environment: string; now: Date },
): number =>
  store.insert(
    `insert into drill (kind, environment, state, started_at) values (?, ?, 'running', ?)`,
    row.issue,
    row.environment,
    row.now.toISOString(),
  )

export const endGameDayRow = (store: DiagnosisPlace['store'], id: number, report: GameDayReport, now: Date): void => {
  store.run(
    'update drill set state = ?, ended_at = ?, report = ? where id = ?',
    report.isRight ? 'passed' : 'failed',
    now.toISOString(),
    JSON.stringify(report),
    id,
  )
}
