import type { Slot } from '../deployments/deployment.ts'
import type { Outcomes } from '../front/front-api.ts'
import type { NewError, Outage, SideEvidence } from './bake-evidence.ts'
import { type BakePolicy, defaultBakePolicy } from './bake-policy.ts'
import { judge, type Judged } from './judge.ts'
import { judgedSeconds } from './judged-seconds.ts'
import { readNewErrors } from './new-errors.ts'
import { createOutcomeMemory } from './outcome-memory.ts'
import { startReadinessProbe } from './readiness-probe.ts'

export type ReleaseWatchOptions = {
  front: { outcomes(after: number): Promise<Outcomes> }
  /** The row as it is now, with what the keeper observed. */
  readSlot: (id: string) => Slot | undefined
  freshSlot: string
  /** The old release that stays warm; null when there is none. */
  controlSlot: string | null
  cutOverAt: Date
  connectionString: string
  syntheticSecret: string
  policy?: BakePolicy
  /** As an earlier watch of the same bake told them. */
  databaseOutages?: readonly Outage[]
}

/** Whatever could not be asked is named in `unknown`; it is neither good nor bad. */
export type Look = Judged & { unknown: string[]; databaseOutages: readonly Outage[] }

export type ReleaseWatch = Disposable & {
  /** `isToppedUp`: our own journeys count, because people's requests were too few. `endsAt`: when the bake may end. */
  look(now: Date, options: { endsAt: Date; isToppedUp?: boolean }): Promise<Look>
  stop(): void
}

/**
 * Gathers what the judge needs, from outside the release: the front's counts, readiness probes, the keeper's observations and the error
 * log. Can be begun again at any moment of a bake: the front keeps an hour.
 */
export function watchRelease(options: ReleaseWatchOptions): ReleaseWatch {
  const { policy = defaultBakePolicy, cutOverAt, freshSlot, controlSlot } = options
  const memory = createOutcomeMemory()
  const probes = new Map<string, ReturnType<typeof startReadinessProbe>>()
  let knownErrors: NewError[] = []
  const outages = createOutageMemory(cutOverAt.getTime(), options.databaseOutages ?? [])
  for (const id of [freshSlot, controlSlot]) {
    const slot = id === null ? undefined : options.readSlot(id)
    if (!slot) continue
    const baseUrl = `http://127.0.0.1:${slot.port}`
    probes.set(slot.id, startReadinessProbe({ baseUrl, syntheticSecret: options.syntheticSecret }))
  }
  const stop = (): void => {
    for (const probe of probes.values()) probe.stop()
    probes.clear()
  }

  const sideOf = (id: string, from: number): SideEvidence => {
    const observed = options.readSlot(id)?.observed ?? null
    return {
      seconds: judgedSeconds(memory.all(), { slot: id, from }),
      readiness: probes.get(id)?.samples() ?? [],
      web: observed?.web ?? null,
      worker: observed?.worker ?? null,
    }
  }

  const look: ReleaseWatch['look'] = async (now, { endsAt, isToppedUp = false }) => {
    const unknown: string[] = []
    const [outcomes, reading] = await Promise.all([
      options.front.outcomes(memory.seq).catch((error: unknown) => {
        unknown.push(`requests: ${error instanceof Error ? error.message : String(error)}`)
        return null
      }),
      readNewErrors({
        connectionString: options.connectionString,
        tag: options.readSlot(freshSlot)?.tag ?? '',
        since: cutOverAt,
      }),
    ])
    if (outcomes) memory.add(outcomes)
    if (reading.errors) knownErrors = reading.errors
    else unknown.push(`error_log: ${reading.because}`)
    const databaseOutages = outages.note(now.getTime(), reading.databaseAnswers)
    const from = Math.floor(cutOverAt.getTime() / 1000)
    const evidence = {
      cutOverAt: cutOverAt.getTime(),
      now: now.getTime(),
      endsAt: endsAt.getTime(),
      before: controlSlot === null ? [] : judgedSeconds(memory.all(), { slot: controlSlot, until: from }),
      control: controlSlot === null ? null : sideOf(controlSlot, from),
      fresh: sideOf(freshSlot, from),
      topUp: isToppedUp ? judgedSeconds(memory.all(), { slot: freshSlot, isSynthetic: true, from }) : [],
      newErrors: knownErrors,
      databaseAnswers: reading.databaseAnswers,
      databaseOutages,
    }
    return { ...judge(evidence, policy), unknown, databaseOutages }
  }
  return { look, stop, [Symbol.dispose]: stop }
}

/** An answer that was waited for ends a moment after the database is back. */
const settlingMs = 2_000

function createOutageMemory(cutOverAt: number, known: readonly Outage[]) {
  let outages = known
  let lastAnswerAt = Math.max(cutOverAt, ...known.map(({ until }) => until))
  let isOut = false
  return {
    note(now: number, answers: boolean): readonly Outage[] {
      if (!answers || isOut) {
        const before = isOut ? outages.slice(0, -1) : outages
        const from = isOut ? (outages.at(-1)?.from ?? lastAnswerAt) : lastAnswerAt
        outages = [...before, { from, until: now + settlingMs }]
      }
      if (answers) lastAnswerAt = now
      isOut = !answers
      return outages
    },
  }
}
