import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { RouteClass } from './front-api.ts'

export type FrontSettings = {
  /** Until the answer begins, counted from the end of the request's body; above it the request is slow. Streams never are. */
  slowAboveMs: Record<Exclude<RouteClass, 'stream'>, number>
  /** No answer within this time ends the request with 504. */
  answerWithinMs: Record<RouteClass, number>
  /** For the whole head of a request to arrive. */
  headersWithinMs: number
  /** Silence of a client in the middle of its request's body. */
  bodySilenceMs: number
  /** A client that neither takes its answer nor says anything. */
  answerSilenceMs: number
  /** An idle connection is kept that long. */
  keepAliveMs: number
  /** Addresses of a TLS proxy in front of us, whose X-Forwarded-* are believed. */
  trustedProxies: string[]
  /** SIGTERM ends what is still under way after this. */
  stopWithinMs: number
  /** A replaced process ends what is still under way after this; uploads may take long. */
  replacedWithinMs: number
}

export const usualFrontSettings: FrontSettings = {
  slowAboveMs: { page: 2_000, api: 2_000, upload: 10_000, render: 5_000 },
  answerWithinMs: { page: 60_000, api: 60_000, upload: 600_000, render: 120_000, stream: 30_000 },
  headersWithinMs: 15_000,
  bodySilenceMs: 120_000,
  answerSilenceMs: 900_000,
  keepAliveMs: 72_000,
  trustedProxies: [],
  stopWithinMs: 120_000,
  replacedWithinMs: 7_200_000,
}

/** The settings with what `front.json` of the run folder says otherwise; throws when the file is not what it should be. */
export function readFrontSettings(runDir: string): FrontSettings {
  const file = path.join(runDir, 'front.json')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return usualFrontSettings
    throw error
  }
  try {
    return merged(usualFrontSettings, JSON.parse(text), '') as FrontSettings
  } catch (error) {
    throw new Error(`${file} cannot be used: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

function merged(usual: unknown, given: unknown, name: string): unknown {
  if (typeof usual === 'number') {
    if (typeof given !== 'number' || !(given > 0)) throw new Error(`${name} must be a number above 0`)
    return given
  }
  if (Array.isArray(usual)) {
    if (!Array.isArray(given) || given.some((entry) => typeof entry !== 'string'))
      throw new Error(`${name} must be a list of texts`)
    return given
  }
  if (typeof given !== 'object' || given === null) throw new Error(`${name || 'it'} must be an object`)
  const result: Record<string, unknown> = { ...(usual as object) }
  for (const [key, value] of Object.entries(given)) {
    if (!(key in result)) throw new Error(`there is no setting ${name}${key}`)
    result[key] = merged(result[key], value, name ? `${name}.${key}` : key)
  }
  return result
}
