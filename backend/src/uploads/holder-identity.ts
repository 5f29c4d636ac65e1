import { randomUUID } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { processIdentity } from '@dam/platform/process-identity'

/** Names this process and one opening of its uploads, such that others on this machine can tell when it has died. */
export function holderIdentity(): string {
  const own = processIdentity(process.pid)
  return [randomUUID(), machine(), process.pid, own?.startedAt.replaceAll(' ', '_') ?? 'unknown'].join(' ')
}

/** True only when it is certain: the process was one of this machine and does not run any more. */
export function hasDied(holder: string): boolean {
  const [, where, pid, startedAt] = holder.split(' ')
  if (where !== machine() || startedAt === undefined || startedAt === 'unknown') return false
  return processIdentity(Number(pid))?.startedAt.replaceAll(' ', '_') !== startedAt
}

/** Process numbers mean something only within one of these: containers may share a host name. */
const machine = (): string => `${hostname()}/${processNumbers()}`

function processNumbers(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return process.platform
  }
}
