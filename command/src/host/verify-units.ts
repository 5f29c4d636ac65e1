import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { UnitFile } from '@dam/ops/src/environments/systemd-units.ts'

/** What systemd's own checker says of the units. Without it nothing is known, and that is said. */
export async function verifyUnits(units: readonly UnitFile[]): Promise<{ isSound: boolean; summary: string }> {
  const dir = mkdtempSync(path.join(tmpdir(), 'dam-units-'))
  try {
    const files = units.map(({ name, text }) => {
      writeFileSync(path.join(dir, name), text)
      return path.join(dir, name)
    })
    await promisify(execFile)('systemd-analyze', ['verify', '--man=no', ...files])
    return { isSound: true, summary: `${units.length} units checked by systemd-analyze` }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { isSound: true, summary: 'not checked: systemd-analyze is not on this machine' }
    }
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    return { isSound: false, summary: `systemd-analyze refuses the units:\n${said.trim()}` }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
