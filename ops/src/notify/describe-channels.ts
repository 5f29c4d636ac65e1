import type { Channel } from './channel.ts'
import type { Mode } from './send-outbox.ts'

/** Of an address such as `slack:#dam-oncall`: null when messages reach it, else why they stay here. */
export const describeChannel = (
  channels: readonly Channel[],
  modeOf: (kind: string) => Mode,
  address: string,
): string | null => {
  const [kind = '', ...rest] = address.split(':')
  if (kind === 'record') return null
  const mode = modeOf(kind)
  if (mode !== 'live') return `mode ${mode}: messages stay here`
  const channel = channels.find((candidate) => candidate.kind === kind)
  return channel ? channel.missing(rest.join(':')) : `there is no channel "${kind}"`
}
