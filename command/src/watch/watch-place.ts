import { userInfo } from 'node:os'
import path from 'node:path'
import type { Policy } from '@dam/ops/src/policy/policy.ts'
import { readPolicy, shippedPolicyFile } from '@dam/ops/src/policy/read-policy.ts'
import { openStore, type Store } from '@dam/ops/src/store.ts'
import { shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { type OperationsPlace, operationsPlace } from '../operations.ts'

export type WatchPlace = Disposable & { store: Store; policy: Policy; place: OperationsPlace; who: string; now: Date }

/** The policy file that is in force for commands: DAM_POLICY, else the one that ships with this checkout. */
export const policyFile = (): string => path.resolve(shellEnvironment['DAM_POLICY'] ?? shippedPolicyFile)

/** Opens what commands about alerts, incidents and on-call work on. `who` is the person at the terminal. */
export function openWatchPlace(host: string | undefined, by?: string): WatchPlace {
  const place = operationsPlace(host)
  const { policy } = readPolicy(policyFile())
  const store = openStore(place.opsDir)
  return {
    store,
    policy,
    place,
    who: by ?? shellEnvironment['SUDO_USER'] ?? userInfo().username,
    now: new Date(),
    [Symbol.dispose]: () => store.close(),
  }
}

/** `2026-03-01T09:00` of this machine's zone, an instant with its offset, or a distance from now such as `+2h`. */
export function parseMoment(text: string, now: Date): Date {
  const [, amount, unit] = /^\+(\d+)(m|h|d|w)$/.exec(text) ?? []
  if (amount && unit) {
    const minutes = { m: 1, h: 60, d: 1_440, w: 10_080 }[unit] ?? 0
    return new Date(now.getTime() + Number(amount) * minutes * 60_000)
  }
  const moment = new Date(text)
  if (Number.isNaN(moment.getTime()))
    throw new CommandFailure(`"${text}" is not a moment. Write 2026-03-01T09:00, 2026-03-01T09:00Z or +2h.`)
  return moment
}
