import type { Pointer } from './front-api.ts'
import type { FrontSettings } from './front-settings.ts'
import type { InFlight } from './in-flight.ts'
import type { OutcomeCounts } from './outcomes.ts'
import type { Repeats } from './repeats.ts'
import type { UpstreamConnections } from './upstream-connections.ts'

export type ProxyParts = {
  settings: FrontSettings
  pointer: () => Pointer
  pointerProblem: () => string | null
  inFlight: InFlight
  outcomes: Pick<OutcomeCounts, 'add'>
  connections: UpstreamConnections
  repeats: Repeats
  /** Whether that value of `x-dam-synthetic` is the environment's secret. */
  isSynthetic: (value: string | undefined) => boolean
  /** True once connections are to end after their next answer. */
  isLeaving: () => boolean
  now: () => Date
}
