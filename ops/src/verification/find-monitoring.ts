import { readFileSync } from 'node:fs'
import { listAlerts } from '../alerts/alert-store.ts'
import { heartbeatFile } from '../dead-man/heartbeat-file.ts'
import type { Policy, SignalName } from '../policy/policy.ts'
import { readSamples } from '../signals/sample-store.ts'
import { signals } from '../signals/vocabulary.ts'
import type { Store } from '../store.ts'
import type { Finding } from './checklist.ts'

/** The auditor beats every 15 s. */
const freshMs = 60_000
/** Longer windows tell of days before this release. */
const longestWindowMs = 3_600_000
const leastSamples = 20

/** What the engine that watches an environment says: it lives, nothing fires, the key metrics are within the policy's targets. */
export function findMonitoring(input: {
  store: Store
  policy: Policy
  environment: string
  /** Of the operations' store, where the engine's heartbeat is. */
  opsDir: string
  now: Date
}): Finding {
  const { store, policy, environment, now } = input
  const firing = listAlerts(store).filter(
    ({ environment: of, state }) => of === environment && (state.phase === 'firing' || state.phase === 'keep-firing'),
  )
  if (firing.length > 0) {
    const names = firing.map(({ rule, state }) => `${rule} since ${state.firingSince ?? state.since}`)
    return { state: 'fail', evidence: `firing: ${names.join(', ')}` }
  }
  const ageMs = now.getTime() - (heartbeatAt(input.opsDir)?.getTime() ?? Number.NEGATIVE_INFINITY)
  if (ageMs > freshMs) {
    const since = Number.isFinite(ageMs) ? `for ${Math.round(ageMs / 60_000)} minutes` : 'ever'
    return { state: 'unknown', evidence: `nobody watches: the engine has not been heard of ${since}` }
  }
  if (readSamples(store, environment, now, freshMs).length === 0)
    return { state: 'unknown', evidence: `the engine lives, but has not looked at ${environment} within a minute` }
  const readings = (Object.entries(policy.targets) as [SignalName, Policy['targets'][SignalName]][]).flatMap(
    ([name, target]): { name: SignalName; isMet: boolean | null; text: string }[] => {
      if (!target || target.window > longestWindowMs) return []
      const reading = signals[name].read(readSamples(store, environment, now, target.window), target.window)
      if (reading === null || reading.samples < leastSamples) return [{ name, isMet: null, text: '' }]
      const { below, above } = target
      const isMet = below ? reading.value < below.value : above ? reading.value > above.value : null
      const bound = below ? `below ${below.value}` : `above ${above?.value}`
      const text = `${signals[name].title} ${Number(reading.value.toPrecision(3))} (target ${bound})`
      return [{ name, isMet, text }]
    },
  )
  const missed = readings.filter(({ isMet }) => isMet === false)
  if (missed.length > 0) return { state: 'fail', evidence: missed.map(({ text }) => text).join(', ') }
  const met = readings.filter(({ isMet }) => isMet === true).map(({ text }) => text)
  const silent = readings.filter(({ isMet }) => isMet === null).map(({ name }) => name)
  const parts = [
    `heartbeat ${Math.round(ageMs / 1000)} s old, no alert fires`,
    ...met,
    ...(silent.length > 0 ? [`too few requests for ${silent.join(', ')}`] : []),
  ]
  return { state: 'pass', evidence: parts.join('; ') }
}

function heartbeatAt(opsDir: string): Date | undefined {
  try {
    const { at } = JSON.parse(readFileSync(heartbeatFile(opsDir), 'utf8')) as { at: string }
    return new Date(at)
  } catch {
    return undefined
  }
}
