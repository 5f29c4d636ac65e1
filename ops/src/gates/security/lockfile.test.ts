import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { checkLockfiles } from './lockfile.ts'

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../../${name}`, import.meta.url)), 'utf8')
const own = {
  pnpmLock: read('pnpm-lock.yaml'),
  pnpmWorkspace: read('pnpm-workspace.yaml'),
  toolchainLock: read('toolchain/package-lock.json'),
}
const pnpmLock = (resolution: string): string =>
  `lockfileVersion: '9.0'\npackages:\n  good@1.0.0:\n    resolution: {integrity: sha512-abcd==}\n  odd@1.0.0:\n    resolution: ${resolution}\n`
const npmLock = (entry: object): string =>
  JSON.stringify({ lockfileVersion: 3, packages: { '': {}, 'node_modules/odd': entry } })

describe('the lockfiles', () => {
  it('of this product pin everything', () => {
    expect(checkLockfiles(own)).toMatchObject({ state: 'pass', findings: [] })
  })

  it('fail with an entry without checksum or from elsewhere', () => {
    for (const resolution of [
      '{}',
      '{integrity: sha1-abcd}',
      '{tarball: https://example.test/odd.tgz, integrity: sha512-abcd==}',
      '{directory: ../odd, type: directory}',
      '{commit: abc, repo: https://example.test/odd, type: git}',
    ])
      expect(checkLockfiles({ ...own, pnpmLock: pnpmLock(resolution) }).findings[0], resolution).toContain('odd@1.0.0')
    for (const entry of [
      {},
      { integrity: 'sha512-abcd==', resolved: 'git+ssh://git@example.test/odd.git' },
      { link: true, resolved: '../odd' },
      { integrity: 'sha512-abcd==', hasInstallScript: true },
    ])
      expect(checkLockfiles({ ...own, toolchainLock: npmLock(entry) }).state, JSON.stringify(entry)).toBe('fail')
  })

  it('fail when a package may run a script, or nothing is locked', () => {
    for (const pnpmWorkspace of [
      'allowBuilds: { odd: true }',
      'onlyBuiltDependencies: [odd]',
      'dangerouslyAllowAllBuilds: true',
    ])
      expect(checkLockfiles({ ...own, pnpmWorkspace }).state).toBe('fail')
    expect(checkLockfiles({ ...own, pnpmLock: `lockfileVersion: '9.0'\n` }).state).toBe('fail')
    expect(checkLockfiles({ ...own, pnpmLock: 'nonsense' }).state).toBe('fail')
  })
})
