import { parse, parseAllDocuments } from 'yaml'
import * as z from 'zod'
import type { CheckLine } from './check-line.ts'

const pnpmLock = z.object({
  lockfileVersion: z.string(),
  packages: z.record(z.string(), z.object({ resolution: z.record(z.string(), z.unknown()) })).optional(),
})
const npmLock = z.object({
  lockfileVersion: z.number(),
  packages: z.record(
    z.string(),
    z.object({
      integrity: z.string().optional(),
      resolved: z.string().optional(),
      hasInstallScript: z.boolean().optional(),
      link: z.boolean().optional(),
    }),
  ),
})

const integrityPattern = /^sha(?:512|384|256)-[A-Za-z0-9+/]+={0,2}$/

/**
 * Whether what gets installed is pinned by content: each entry of both lockfiles has a checksum and comes from a registry, and no
 * package may run a script of its own while it is installed.
 */
export function checkLockfiles(files: { pnpmLock: string; pnpmWorkspace: string; toolchainLock: string }): CheckLine {
  const findings: string[] = []
  const product = productEntries(files.pnpmLock, findings)
  const toolchain = toolchainEntries(files.toolchainLock, findings)
  findings.push(...allowedScripts(files.pnpmWorkspace))
  if (product === 0) findings.push('pnpm-lock.yaml lists no packages')
  if (toolchain === 0) findings.push('toolchain/package-lock.json lists no packages')
  const summary =
    findings.length === 0
      ? `all ${product + toolchain} locked packages have a checksum, come from the registry and run no script`
      : `${findings.length} findings in the lockfiles`
  return { check: 'lockfile', state: findings.length === 0 ? 'pass' : 'fail', summary, findings }
}

function productEntries(text: string, findings: string[]): number {
  let entries = 0
  for (const document of parseAllDocuments(text)) {
    const parsed = pnpmLock.safeParse('toJS' in document ? document.toJS() : null)
    if (!parsed.success) {
      findings.push('pnpm-lock.yaml cannot be read')
      continue
    }
    for (const [name, { resolution }] of Object.entries(parsed.data.packages ?? {})) {
      entries++
      const others = Object.keys(resolution).filter((key) => key !== 'integrity')
      if (others.length > 0) findings.push(`${name} does not come from the registry (${others.join(', ')})`)
      else if (!integrityPattern.test(String(resolution['integrity']))) findings.push(`${name} has no checksum`)
    }
  }
  return entries
}

function toolchainEntries(text: string, findings: string[]): number {
  const parsed = npmLock.safeParse(JSON.parse(text))
  if (!parsed.success) {
    findings.push('toolchain/package-lock.json cannot be read')
    return 0
  }
  // The entry without a name is the folder itself.
  const entries = Object.entries(parsed.data.packages).filter(([name]) => name !== '')
  for (const [name, { integrity, resolved, link, hasInstallScript }] of entries) {
    if (hasInstallScript) findings.push(`${name} runs a script when it is installed`)
    if (link || (resolved !== undefined && !resolved.startsWith('https://')))
      findings.push(`${name} does not come from the registry (${resolved ?? 'link'})`)
    else if (!integrityPattern.test(integrity ?? '')) findings.push(`${name} has no checksum`)
  }
  return entries.length
}

const workspace = z.looseObject({
  allowBuilds: z.record(z.string(), z.unknown()).optional(),
  onlyBuiltDependencies: z.array(z.string()).optional(),
  dangerouslyAllowAllBuilds: z.boolean().optional(),
})

function allowedScripts(text: string): string[] {
  const parsed = workspace.safeParse(parse(text))
  if (!parsed.success) return ['pnpm-workspace.yaml cannot be read']
  const { allowBuilds = {}, onlyBuiltDependencies = [], dangerouslyAllowAllBuilds } = parsed.data
  const allowed = Object.entries(allowBuilds).flatMap(([name, isAllowed]) => (isAllowed === false ? [] : [name]))
  return [
    ...[...allowed, ...onlyBuiltDependencies].map((name) => `${name} may run a script when it is installed`),
    ...(dangerouslyAllowAllBuilds ? ['every package may run a script when it is installed'] : []),
  ]
}
