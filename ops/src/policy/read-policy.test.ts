import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parsePolicy, PolicyError, readPolicy, shippedPolicyFile } from './read-policy.ts'
import { formatDuration, parseDuration, parseShare } from './units.ts'

const text = readFileSync(shippedPolicyFile, 'utf8')
const mistakesOf = (changed: string): readonly string[] => {
  try {
    parsePolicy(changed, 'policy.yaml')
  } catch (error) {
    if (error instanceof PolicyError) return error.mistakes
    throw error
  }
  return []
}

test("the shipped policy holds the runbook's numbers", () => {
  const { policy } = readPolicy()
  const rule = (name: string) => policy.alerts.find((alert) => alert.name === name)
  expect(rule('error-rate-critical')).toMatchObject({ severity: 'P0', threshold: { value: 0.05 } })
  expect(rule('error-rate-high')).toMatchObject({ severity: 'P1', threshold: { value: 0.01 } })
  expect(rule('error-rate-raised')).toMatchObject({ severity: 'P2', threshold: { value: 0.005 } })
  expect(rule('response-time-high')).toMatchObject({ severity: 'P1', threshold: { value: 2, unit: 'seconds' } })
  expect(rule('disk-high')?.threshold.value).toBe(0.85)
  expect(Object.values(policy.severities).map(({ acknowledgeWithin }) => formatDuration(acknowledgeWithin))).toEqual([
    '15 min',
    '1 h',
    '4 h',
    '1 d',
  ])
  expect(policy.targets['error-rate']?.below?.value).toBe(0.001)
})

describe('a mistake is named with its line', () => {
  test.each([
    ['an unknown signal', 'signal: memory', 'signal: memry', /alerts\.\d+\.signal/],
    [
      'a duration without a unit',
      'acknowledgeWithin: 15m',
      'acknowledgeWithin: 15',
      /severities\.P0\.acknowledgeWithin/,
    ],
    ['a key that means nothing', 'coverageDays: 90', 'coverageDays: 90\n  colour: red', /colour/],
    ['a person who does not exist', 'rotation: []', 'rotation: [anna]', /there is no person anna/],
    ['an alert that could never clear', 'clear: 3%', 'clear: 7%', /could never clear/],
    ['a zone that does not exist', 'oncall:\n  zone: UTC', 'oncall:\n  zone: Mars/Olympus', /is not a time zone/],
    ['broken YAML', 'format: 1', 'format: [1', /line \d+/],
  ])('%s', (_, before, after, message) => {
    expect(text).toContain(before)
    const mistakes = mistakesOf(text.replace(before, after))
    expect(mistakes).not.toEqual([])
    expect(mistakes.join('\n')).toMatch(message)
    expect(mistakes[0]).toMatch(/^line \d+: /)
  })
})

test.each([
  ['90s', 90_000],
  ['1.5s', 1_500],
  ['500ms', 500],
  ['7d', 604_800_000],
  ['7', null],
  ['-5m', null],
])('%s is %s ms', (given, expected) => expect(parseDuration(given)).toBe(expected))

test.each([
  ['0.7%', 0.007],
  ['0.1 %', 0.001],
  ['100%', 1],
  ['5', null],
])('%s is a share of %s', (given, expected) => expect(parseShare(given)).toBe(expected))
