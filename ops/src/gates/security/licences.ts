import * as z from 'zod'
import type { CheckLine } from './check-line.ts'
import type { Component } from './sbom.ts'

/** SPDX ids that ask no more of us than their text beside the product, or the sources of the one library. */
export const allowedLicences: ReadonlySet<string> = new Set(
  `0BSD AFL-2.1 Apache-2.0 Artistic-2.0 BlueOak-1.0.0 BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear CC0-1.0 CC-BY-3.0
   CC-BY-4.0 ISC LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later LGPL-3.0 MIT MIT-0 MPL-2.0 OFL-1.1
   PostgreSQL Python-2.0 Unicode-3.0 Unlicense WTFPL Zlib`.split(/\s+/),
)

const reviewedFile = z.strictObject({
  reviewed: z.array(
    z.strictObject({ package: z.string(), version: z.string(), licence: z.string(), because: z.string().min(20) }),
  ),
})
/** The licence a person found for one version of a package that declares none, or declares it in a way no program reads. */
export type ReviewedLicence = z.infer<typeof reviewedFile>['reviewed'][number]

/** Reads `security/licences.json`; throws when it is not as it should be. */
export function readReviewedLicences(text: string): ReviewedLicence[] {
  const parsed = reviewedFile.safeParse(JSON.parse(text))
  if (!parsed.success) throw new Error(`security/licences.json: ${z.prettifyError(parsed.error)}`)
  return parsed.data.reviewed
}

/** Holds what every component declares against the allowed licences; one that declares none fails with its name. */
export function checkLicences(components: readonly Component[], reviewed: readonly ReviewedLicence[]): CheckLine {
  const findings: string[] = []
  for (const { name, version, licences } of components) {
    const review = reviewed.find((one) => one.package === name && one.version === version)
    const expressions = review ? [review.licence] : licences
    if (expressions.length === 0) findings.push(`${name} ${version} declares no licence`)
    else if (!expressions.every(isAllowed)) findings.push(`${name} ${version}: ${expressions.join(', ')}`)
  }
  const summary =
    findings.length === 0
      ? `the licences of all ${components.length} components are allowed`
      : `${findings.length} of ${components.length} components have no allowed licence`
  return { check: 'licences', state: findings.length === 0 ? 'pass' : 'fail', summary, findings }
}

/** An SPDX expression: one allowed side of an OR is enough, all sides of an AND are needed. What cannot be read is not allowed. */
export function isAllowed(expression: string): boolean {
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? []
  let position = 0
  const peek = (): string => (tokens[position] ?? '').toUpperCase()
  const either = (): boolean => {
    let allowed = both()
    while (peek() === 'OR') {
      position++
      allowed = both() || allowed
    }
    return allowed
  }
  const both = (): boolean => {
    let allowed = one()
    while (peek() === 'AND') {
      position++
      allowed = one() && allowed
    }
    return allowed
  }
  const one = (): boolean => {
    const token = tokens[position++] ?? ''
    if (token === '(') {
      const inside = either()
      return tokens[position++] === ')' && inside
    }
    let allowed = allowedLicences.has(token)
    if (peek() === 'WITH') {
      position += 2
      // An exception only ever permits more.
      allowed = allowed && tokens.length >= position
    }
    return allowed
  }
  const allowed = either()
  return allowed && position === tokens.length
}
