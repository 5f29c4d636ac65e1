import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Marks health probes and journeys of ours, so that the front counts them apart; it never reaches a slot. */
export const syntheticHeader = 'x-dam-synthetic'

const fileIn = (runDir: string): string => path.join(runDir, 'synthetic.secret')

export function readSyntheticSecret(runDir: string): string {
  return readFileSync(fileIn(runDir), 'utf8').trim()
}

export function createSyntheticSecret(runDir: string): void {
  if (existsSync(fileIn(runDir))) return
  writeFileSync(fileIn(runDir), `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
}
