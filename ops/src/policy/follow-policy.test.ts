import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { followPolicy } from './follow-policy.ts'
import { shippedPolicyFile } from './read-policy.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-policy-'))
  file = path.join(folder, 'policy.yaml')
  copyFileSync(shippedPolicyFile, file)
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

test('a changed file comes into force by itself, and one with a mistake leaves the last good one', () => {
  let clock = 0
  vi.spyOn(performance, 'now').mockImplementation(() => clock)
  const said: string[] = []
  const policyOf = followPolicy({
    file,
    onChange: ({ policy }) => said.push(`now ${policy.oncall.coverageDays}`),
    onMistake: ({ message }) => said.push(message),
  })
  const write = (days: string): void => {
    writeFileSync(file, readFileSync(file, 'utf8').replace(/coverageDays: .*/, `coverageDays: ${days}`))
    clock += 3_000
  }
  write('30')
  expect(policyOf().policy.oncall.coverageDays).toBe(30)
  write('many days')
  expect(policyOf().policy.oncall.coverageDays).toBe(30)
  clock += 3_000
  policyOf()
  write('40')
  expect(policyOf().policy.oncall.coverageDays).toBe(40)
  expect(said).toEqual(['now 30', expect.stringContaining('oncall.coverageDays'), 'now 40'])
})
