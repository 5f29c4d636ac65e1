import { describe, expect, it } from 'vitest'
import { evaluateGates } from '../evaluate-gates.ts'
import { fakeForge } from '../testing/fake-forge.ts'
import { scratchGates } from '../testing/scratch-gates.ts'
import type { CheckLine } from './check-line.ts'
import { scanRelease, verdictOf } from './scan-release.ts'

const now = new Date('2027-03-01T12:00:00.000Z')
const good: Record<string, string> = {
  'sbom.json': JSON.stringify({
    bomFormat: 'CycloneDX',
    components: [{ name: 'left', version: '1.0.0', licenses: [{ license: { id: 'MIT' } }] }],
  }),
  'security/audit.json': '{"exceptions":[]}',
  'security/allowed-secrets.json': '{"allowed":[]}',
  'security/licences.json': '{"reviewed":[]}',
  'pnpm-lock.yaml': `lockfileVersion: '9.0'\npackages:\n  left@1.0.0:\n    resolution: {integrity: sha512-abcd==}\n`,
  'pnpm-workspace.yaml': 'packages: [ops]\n',
  'toolchain/package-lock.json': JSON.stringify({
    lockfileVersion: 3,
    packages: { 'node_modules/a': { integrity: 'sha512-abcd==' } },
  }),
}
const headers: CheckLine = { check: 'headers', state: 'pass', summary: 'exact', findings: [] }

async function scan(over: {
  files?: Record<string, string>
  answer?: unknown
  status?: number
  checkHeaders?: () => Promise<CheckLine>
}) {
  using scratch = scratchGates()
  await using registry = await fakeForge(() => ({ body: over.answer ?? {}, status: over.status ?? 200 }))
  const files = new Map(Object.entries(over.files ?? good).map(([name, text]) => [name, Buffer.from(text)]))
  const { store, deps, release } = scratch
  const checkHeaders = over.checkHeaders ?? (() => Promise.resolve(headers))
  const result = await scanRelease(
    { store, policy: deps.policy, release, files, registry: registry.origin, checkHeaders, by: 'bo' },
    now,
  )
  const [, , security] = await evaluateGates(deps, { release, environment: 'production', now })
  return { ...result, gate: security }
}

describe('the security scan', () => {
  it('opens the gate when all five checks pass, each a line of the evidence', async () => {
    const { verdict, lines, gate } = await scan({})
    expect(verdict).toBe('pass')
    expect(lines.map(({ check }) => check)).toEqual(['advisories', 'secrets', 'licences', 'headers', 'lockfile'])
    expect(gate).toMatchObject({ state: 'pass', by: 'bo', evidence: { details: { lines } } })
  })

  it('leaves the gate unknown while one check is not known', async () => {
    expect(await scan({ status: 405 })).toMatchObject({ verdict: 'unknown', gate: { state: 'unknown' } })
    const broken = () => Promise.reject(new Error('it did not start'))
    expect(await scan({ checkHeaders: broken })).toMatchObject({ verdict: 'unknown', gate: { state: 'unknown' } })
    for (const name of Object.keys(good)) {
      const files = Object.fromEntries(Object.entries(good).filter(([other]) => other !== name))
      expect((await scan({ files })).gate?.state, name).toBe('unknown')
    }
  })

  it('closes the gate when one check fails, also when another is not known', async () => {
    const files = { ...good, 'leak.ts': `ghp_${'q7Zp2LwX9vB4'.repeat(3)}` }
    expect(await scan({ files, status: 500 })).toMatchObject({ verdict: 'fail', gate: { state: 'fail' } })
  })

  it('has not passed when nothing was checked', () => {
    expect(verdictOf([])).toBe('unknown')
  })
})
