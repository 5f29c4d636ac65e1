import { expect, test } from 'vitest'
import { pauseWhile } from './pause-worker.ts'

test('background jobs stop while DAM is closed and go on afterwards; stopping ends the one that works', async () => {
  let isPaused = true
  const events: string[] = []
  const worker = await pauseWhile(
    () => isPaused,
    async () => {
      events.push('started')
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      return {
        ended,
        stop: async () => {
          events.push('stopped')
          resolve()
        },
      }
    },
    { info: () => undefined },
  )
  let hasEnded = false
  void worker.ended.then(() => (hasEnded = true))
  expect(events).toEqual([])
  isPaused = false
  await expect.poll(() => events, { timeout: 10_000 }).toEqual(['started'])
  isPaused = true
  await expect.poll(() => events, { timeout: 10_000 }).toEqual(['started', 'stopped'])
  isPaused = false
  await expect.poll(() => events, { timeout: 10_000 }).toEqual(['started', 'stopped', 'started'])
  // A pause is no fault of the worker.
  expect(hasEnded).toBe(false)
  await worker.stop()
  expect(events).toEqual(['started', 'stopped', 'started', 'stopped'])
})
