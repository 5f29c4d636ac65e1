import { expect, test } from 'vitest'
import { failureLine, tallyOf } from './tally.ts'

test('a failure is one line without colours: where, which, and the first words of why', () => {
  const message = '\n\u001B[31mAssertionError\u001B[39m: expected true to be false\n    at somewhere.ts:1:2'
  expect(failureLine('a.test.ts > adds', message)).toBe('a.test.ts > adds: AssertionError: expected true to be false')
  expect(failureLine('a.test.ts > adds', undefined)).toBe('a.test.ts > adds')
  expect(failureLine('x', 'y'.repeat(1000))).toHaveLength(300)
})

test('a runner that fails without a failed test is a failure itself', () => {
  expect(tallyOf(1, 5, [], 'vitest')).toEqual({ passed: 5, failed: 1, failures: ['vitest ended with code 1'] })
  expect(tallyOf(1, 5, ['a', 'b'], 'vitest')).toEqual({ passed: 5, failed: 2, failures: ['a', 'b'] })
  expect(tallyOf(0, 5, [], 'vitest')).toEqual({ passed: 5, failed: 0, failures: [] })
})
