import { describe, expect, it } from 'vitest'
import { checkLicences, isAllowed, readReviewedLicences } from './licences.ts'
import { readSbom } from './sbom.ts'

describe('licences', () => {
  it('are read as SPDX expressions', () => {
    for (const good of [
      'MIT',
      '(MIT OR GPL-3.0-only)',
      'MIT AND ISC',
      'Apache-2.0 WITH LLVM-exception',
      '(MIT AND (ISC OR AGPL-3.0))',
    ])
      expect(isAllowed(good), good).toBe(true)
    for (const bad of [
      '',
      'GPL-3.0-only',
      'MIT AND GPL-3.0-only',
      'UNLICENSED',
      'SEE LICENSE IN x',
      '(MIT',
      'MIT)',
      'MIT ISC',
      'OR MIT',
    ])
      expect(isAllowed(bad), bad).toBe(false)
  })

  it('fail with the name of what has none or another', () => {
    const components = [
      { name: 'good', version: '1.0.0', licences: ['MIT'] },
      { name: 'silent', version: '1.0.0', licences: [] },
      { name: 'copyleft', version: '2.0.0', licences: ['AGPL-3.0-only'] },
    ]
    expect(checkLicences(components, [])).toMatchObject({
      state: 'fail',
      findings: ['silent 1.0.0 declares no licence', 'copyleft 2.0.0: AGPL-3.0-only'],
    })
    const reviewed = [{ package: 'silent', version: '1.0.0', licence: 'ISC', because: 'its README has the text of it' }]
    expect(checkLicences(components.slice(0, 2), reviewed).state).toBe('pass')
    expect(checkLicences([{ name: 'silent', version: '1.0.1', licences: [] }], reviewed).state).toBe('fail')
    expect(() => readReviewedLicences('{}')).toThrow('licences.json')
  })

  it('come from a CycloneDX document with components and from nothing else', () => {
    const component = {
      name: 'b',
      group: '@a',
      version: '1.0.0',
      licenses: [{ license: { id: 'MIT' } }, { expression: 'ISC' }],
    }
    expect(readSbom(JSON.stringify({ bomFormat: 'CycloneDX', components: [component] }))).toEqual([
      { name: '@a/b', version: '1.0.0', licences: ['MIT', 'ISC'] },
    ])
    expect(() => readSbom(JSON.stringify({ bomFormat: 'CycloneDX', components: [] }))).toThrow('no components')
    expect(() => readSbom('{"spdxVersion":"SPDX-2.3"}')).toThrow('not CycloneDX')
  })
})
