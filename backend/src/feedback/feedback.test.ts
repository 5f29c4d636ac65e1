import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { testApp, type TestApp } from '../testing/test-app.ts'
import { satisfactionNow } from './feedback-store.ts'

let app: TestApp
beforeAll(async () => {
  app = await testApp({}, { release: { tag: 'v3.1.0', version: '3.1.0', commit: 'abcdef0' } })
})
afterAll(() => app[Symbol.asyncDispose]())

const rate = (token: string, body: object): Promise<Response> =>
  fetch(`${app.url}/api/v4/feedback/`, {
    method: 'POST',
    headers: { authorization: `Token ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const ratio = async (): Promise<string | undefined> =>
  /^dam_satisfaction_ratio (\S+)$/m.exec(await (await fetch(`${app.url}/metrics`)).text())?.[1]

test('as long as nobody rated, satisfaction is unknown, not perfect', async () => {
  expect(await satisfactionNow(app.database)).toEqual({ ratio: null, people: 0 })
  expect(Number(await ratio())).toBeNaN()
})

test('everybody who is signed in rates the release that answers; each person counts once', async () => {
  const [content, happy, cross] = [await app.person('viewer'), await app.person('editor'), await app.person('viewer')]
  expect((await rate(content.token, { rating: 4 })).status).toBe(204)
  expect((await rate(happy.token, { rating: 1, comment: 'a slip' })).status).toBe(204)
  expect((await rate(happy.token, { rating: 5, comment: '  Fast!  ' })).status).toBe(204)
  expect((await rate(cross.token, { rating: 2, comment: 'медленно' })).status).toBe(204)
  expect(
    await app.database.rows(sql`select rating, comment, release from satisfaction_rating order by rating desc`),
  ).toEqual([
    { rating: 5, comment: 'Fast!', release: 'v3.1.0' },
    { rating: 4, comment: '', release: 'v3.1.0' },
    { rating: 2, comment: 'медленно', release: 'v3.1.0' },
  ])
  expect(Number(await ratio())).toBeCloseTo(2 / 3)
  await app.database.run(sql`update satisfaction_rating set at = now() - interval '31 days' where rating >= 4`)
  expect(await satisfactionNow(app.database)).toEqual({ ratio: 0, people: 1 })
})

test.each([{ rating: 0 }, { rating: 6 }, { rating: 2.5 }, {}, { rating: 3, comment: 'x'.repeat(2_001) }])(
  'no rating: %j',
  async (body) => {
    expect((await rate((await app.person('viewer')).token, body)).status).toBe(400)
  },
)
