import { createHash } from 'node:crypto'
import { integrityCodes } from '@dam/contract/error-codes'
import type { ErrorEntry } from '@dam/platform/log'

/** The process fell over, or a request met an error that nobody expected. */
const unhandledCodes = new Set(['crash', 'internal-error'])

export const isFatal = ({ code }: Pick<ErrorEntry, 'code'>): boolean =>
  integrityCodes.includes(code) || unhandledCodes.has(code)

/**
 * The same 16 digits for errors of the same kind from the same place, in every release: made of the code, the message without what differs
 * from case to case, and the function of ours in which it happened, without its line.
 */
export function fingerprintOf({ code, message, stack }: Pick<ErrorEntry, 'code' | 'message' | 'stack'>): string {
  const parts = [code, withoutParticulars(message), stack === undefined ? '' : ownFrame(stack)]
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)
}

const withoutParticulars = (message: string): string =>
  message
    .split('\n', 1)[0]
    ?.slice(0, 1_000)
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`|«[^»]*»/g, '…')
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '…')
    .replaceAll(/(?:\/[^\s/:,;)]+){2,}\/?/g, '…')
    .replaceAll(/\b(?=[a-z]*\d)[0-9a-z_]{8,}\b/gi, '…')
    .replaceAll(/\d+(?:[.,:]\d+)*/g, '…')
    .replaceAll(/\s+/g, ' ')
    .trim() ?? ''

/** The database is where most statements fail; the function that sent the statement says more. */
const isOwn = (line: string): boolean =>
  /\/(?:backend|platform|contract)\/src\//.test(line) && !line.includes('/platform/src/database.ts')

/** `function file` of the innermost frame of ours. */
function ownFrame(stack: string): string {
  const line = stack.split('\n').find((candidate) => /^\s*at /.test(candidate) && isOwn(candidate))
  if (!line) return ''
  const name = /^\s*at (?:async )?([^\s(]+) \(/.exec(line)?.[1] ?? ''
  const file = /((?:backend|platform|contract)\/src\/[^:)]+)/.exec(line)?.[1] ?? ''
  return `${name} ${file}`
}
