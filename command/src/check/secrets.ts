import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { readAllowedSecrets, scanForSecrets } from '@dam/ops/src/gates/security/secret-scan.ts'
import type { ReleaseManifest } from '@dam/ops/src/releases/release.ts'
import { root } from '../config.ts'
import { runProgram } from '../run-program.ts'
import { type Check, type CheckResult, failed, passed } from './check.ts'

/** What the gate "security" would refuse in a release of these sources. */
export const secretsCheck: Check = { name: 'secrets', run: checkSecrets }

async function checkSecrets(): Promise<CheckResult> {
  const files = new Map<string, Uint8Array>()
  for (const name of await sourceFiles()) {
    const file = path.join(root, name)
    if (existsSync(file)) files.set(name, readFileSync(file))
  }
  const allowed = readAllowedSecrets(readFileSync(path.join(root, 'security/allowed-secrets.json'), 'utf8'))
  const { state, summary, findings } = await scanForSecrets(files, allowed)
  return state === 'pass'
    ? passed
    : failed(
        [
          summary,
          ...findings,
          'Take it out, or list its fingerprint with the reason in security/allowed-secrets.json.',
        ].join('\n'),
      )
}

/** In an unpacked release its manifest lists them, in a checkout git does. */
async function sourceFiles(): Promise<string[]> {
  const manifestFile = path.join(root, 'release.json')
  if (existsSync(manifestFile)) {
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8')) as ReleaseManifest
    return Object.keys(manifest.files)
  }
  const { code, output } = await runProgram('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'])
  if (code !== 0) throw new Error(`git could not list the sources: ${output.trim()}`)
  return output.split('\0').filter(Boolean)
}
