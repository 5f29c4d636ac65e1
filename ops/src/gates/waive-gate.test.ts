import { createHash } from 'node:crypto'
import { hashPassword } from '@dam/platform/password'
import { describe, expect, it } from 'vitest'
import { evaluateGates } from './evaluate-gates.ts'
import { dayMs, hourMs } from './gate-policy.ts'
import { type GateKind, gateKinds } from './gate.ts'
import { areSamePerson, identifyVoucher } from './second-person.ts'
import { scratchGates } from './testing/scratch-gates.ts'
import { risks, waiveGate, type WaiverRequest } from './waive-gate.ts'

const now = new Date('2027-03-01T12:00:00.000Z')
const commits = [
  { hash: 'c', subject: 's', authors: [{ name: 'Ada Byron', email: 'ada@example.test' }], reviewers: [] },
]
const request: WaiverRequest = {
  environment: 'production',
  kind: 'tests',
  by: { name: 'bo', isAuthenticated: false },
  reason: 'the fix must go out before the tests are through',
  lifetimeMs: 4 * hourMs,
  requestedBy: 'cy',
}
const waive = ({ store, deps, release }: ReturnType<typeof scratchGates>, over: Partial<WaiverRequest> = {}) =>
  waiveGate({ store, policy: deps.policy, release, commits }, { ...request, ...over }, now)

describe('a waiver', () => {
  it('opens the gate, is audited, and says in every plan what is risked', async () => {
    for (const kind of Object.keys(gateKinds) as GateKind[]) {
      using scratch = scratchGates()
      expect(waive(scratch, { kind }).getTime()).toBe(now.getTime() + 4 * hourMs)
      const statuses = await evaluateGates(scratch.deps, { release: scratch.release, environment: 'production', now })
      const status = statuses.find((one) => one.kind === kind)
      expect(status?.state).toBe('waived')
      expect(status?.evidence.summary).toContain(risks[kind])
      expect(status?.by).toContain('as claimed')
      expect(scratch.store.row('select who, action from audit')).toMatchObject({ action: 'gate.waived' })
    }
  })

  it('needs a person who neither asks for the deployment nor wrote the release', () => {
    using scratch = scratchGates()
    for (const name of ['cy', 'CY', ' cy ', 'Ada Byron', 'ada', 'ada@example.test'])
      expect(() => waive(scratch, { by: { name, isAuthenticated: false } })).toThrow('second person')
  })

  it('of whoever asks for the deployment does not count, however it came to be', async () => {
    using scratch = scratchGates()
    waive(scratch)
    const ask = async (requestedBy: string) =>
      (await evaluateGates(scratch.deps, { release: scratch.release, environment: 'production', now, requestedBy }))[1]
        ?.state
    expect(await ask('cy')).toBe('waived')
    expect(await ask('Bo')).toBe('unknown')
  })

  it('needs a reason and an end', () => {
    using scratch = scratchGates()
    expect(() => waive(scratch, { reason: 'because I say so   ' })).toThrow('at least 20 characters')
    for (const lifetimeMs of [0, -1, Number.NaN, 7 * dayMs + 1])
      expect(() => waive(scratch, { lifetimeMs })).toThrow('at most 7 days')
    expect(scratch.store.rows('select * from gate_record')).toEqual([])
  })
})

describe('who vouches', () => {
  const token = 'made-for-the-test-and-nothing-else'
  const addOperator = (
    { store }: ReturnType<typeof scratchGates>,
    over: { role?: string; active?: number; passwordHash?: string } = {},
  ) => {
    const id = store.insert(
      `insert into operator (username, email, password_hash, role, active, created_at) values ('bo', 'bo@example.test', ?, ?, ?, ?)`,
      over.passwordHash ?? '',
      over.role ?? 'operator',
      over.active ?? 1,
      now.toISOString(),
    )
    store.run(
      `insert into operator_session (token_hash, operator_id, kind, created_at, last_used_at, expires_at) values (?, ?, 'token', ?, ?, ?)`,
      createHash('sha256').update(token).digest('hex'),
      id,
      now.toISOString(),
      now.toISOString(),
      new Date(now.getTime() + hourMs).toISOString(),
    )
  }

  const identify = (scratch: ReturnType<typeof scratchGates>, by: string, given: string | null, at = now) =>
    identifyVoucher(
      scratch.store,
      { by, proof: given === null ? { askPassword: () => Promise.resolve('a wrong password') } : { token: given } },
      at,
    )

  it('is taken at their word only where nobody is registered', async () => {
    using scratch = scratchGates()
    expect(await identify(scratch, 'bo', null)).toEqual({ name: 'bo', isAuthenticated: false })
    await expect(identify(scratch, ' ', null)).rejects.toThrow('--by')
    addOperator(scratch)
    await expect(identify(scratch, 'zed', token)).rejects.toThrow('no active operator')
    await expect(identify(scratch, 'bo', null)).rejects.toThrow('does not prove')
    await expect(identify(scratch, 'bo', 'guess')).rejects.toThrow('does not prove')
    expect(await identify(scratch, 'BO@example.test', token)).toEqual({ name: 'bo', isAuthenticated: true })
    await expect(identify(scratch, 'bo', token, new Date(now.getTime() + hourMs))).rejects.toThrow('does not prove')
  })

  it('proves it by their password as well', async () => {
    using scratch = scratchGates()
    addOperator(scratch, { passwordHash: await hashPassword('the password of bo') })
    const proof = { askPassword: () => Promise.resolve('the password of bo') }
    expect(await identifyVoucher(scratch.store, { by: 'bo', proof }, now)).toEqual({
      name: 'bo',
      isAuthenticated: true,
    })
  })

  it('may not be a viewer or somebody who left', async () => {
    for (const over of [{ role: 'viewer' }, { active: 0 }]) {
      using scratch = scratchGates()
      addOperator(scratch, over)
      await expect(identify(scratch, 'bo', token)).rejects.toThrow(/may look|no active/)
    }
  })

  it('is one person under name, address and user name', () => {
    expect(areSamePerson(['ada'], ['Ada Byron <ada@example.test>'])).toBe(true)
    expect(areSamePerson(['Ada  Byron'], ['ada byron <x@example.test>'])).toBe(true)
    expect(areSamePerson(['bo'], ['Ada Byron <ada@example.test>'])).toBe(false)
  })
})
