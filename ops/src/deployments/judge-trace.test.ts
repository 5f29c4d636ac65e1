import { expect, test } from 'vitest'
import type { SideEvidence } from '../judge/bake-evidence.ts'
import { judge } from '../judge/judge.ts'
import { insertRelease, scratchGates } from '../gates/testing/scratch-gates.ts'
import { readTrace } from '../console/views/judge-view.ts'
import { addDeploymentEvent, insertDeployment } from './deployment-store.ts'
import { joinedTrace, newestSecond, onlyNewSeconds, pruneLooks } from './judge-trace.ts'

const cutOver = 1_800_000_000
const atSecond = (second: number): Date => new Date((cutOver + second) * 1000)
const side = (seconds: number): SideEvidence => ({
  seconds: Array.from({ length: seconds }, (_, i) => ({
    second: cutOver + i,
    total: 10,
    bad: i % 7 === 0 ? 1 : 0,
    slow: 0,
  })),
  readiness: [],
  web: null,
  worker: null,
})
const lookAt = (second: number) =>
  judge({
    cutOverAt: cutOver * 1000,
    now: atSecond(second).getTime(),
    endsAt: atSecond(900).getTime(),
    before: [],
    control: null,
    fresh: side(second),
    topUp: [],
    newErrors: [],
    databaseAnswers: true,
    databaseOutages: [],
  })

test('looks store each second once, and joined they are what the last look saw', () => {
  using scratch = scratchGates()
  const { store, release } = scratch
  const other = { ...release, tag: 'v1.9.0', digest: 'a'.repeat(64), version: '1.9.0' }
  insertRelease(store, other)
  const { id } = insertDeployment(store, {
    kind: 'deploy',
    environment: 'staging',
    digest: release.digest,
    previousDigest: null,
    because: '',
    requestedBy: 'anna',
    data: {},
    now: atSecond(0),
  })
  expect(joinedTrace(store, id)).toBeNull()
  let recorded = 0
  let whole = lookAt(2)
  for (let second = 2; second <= 600; second += 2) {
    whole = lookAt(second)
    const look = { ...whole, trace: onlyNewSeconds(whole.trace, recorded), unknown: [] }
    recorded = newestSecond(whole.trace)
    addDeploymentEvent(store, id, {
      state: 'baking',
      step: 'bake',
      status: 'note',
      detail: { look },
      now: atSecond(second),
    })
  }
  const joined = joinedTrace(store, id)
  expect(joined).toMatchObject({ judgement: whole.judgement, looks: 300 })
  expect(joined?.trace).toEqual(whole.trace)
  expect(readTrace(store, id).looks.at(-1)?.errors).toMatchObject({ requests: 6000, sum: whole.trace.errors.sum.now })
  const { bytes } = store.row<{ bytes: number }>('select sum(length(detail)) as bytes from deployment_event') ?? {
    bytes: 0,
  }
  // A look is about 1 kB; with all seconds in each it would be 300 * 25 kB.
  expect(bytes).toBeLessThan(600_000)

  expect(pruneLooks(store, atSecond(10_000))).toBe(0)
  store.run('update deployment set ended_at = ? where id = ?', atSecond(700).toISOString(), id)
  addDeploymentEvent(store, id, { state: 'good', step: 'finish', status: 'done', now: atSecond(700) })
  expect(pruneLooks(store, atSecond(10_000))).toBe(300)
  expect(store.row('select count(*) as left from deployment_event')).toMatchObject({ left: 1 })
})
