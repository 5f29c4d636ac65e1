import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { machineName } from '@dam/ops/src/gates/test-runs/record-tests.ts'
import type { TestRecord } from '@dam/ops/src/gates/test-runs/test-record.ts'
import { inspectFolder } from '@dam/ops/src/releases/release-folder.ts'
import type { ReleaseManifest } from '@dam/ops/src/releases/release.ts'
import { root } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { runProgram } from '../run-program.ts'

type Counts = { passed: number; failed: number; durationMs: number }
type Sources = { commit: string; isClean: boolean }

export type Recording = {
  add(part: keyof TestRecord['parts'], counts: Counts): void
  finish(options: { isWhole: boolean }): Promise<void>
}

/** Notes which sources are being tested; `finish` looks at them again and writes the report. */
export async function startRecording(file: string): Promise<Recording> {
  const target = path.resolve(file)
  const before = await readSources()
  const startedAt = new Date().toISOString()
  const parts: TestRecord['parts'] = {}
  return {
    add: (part, counts) => {
      parts[part] = counts
    },
    finish: async ({ isWhole }) => {
      const after = await readSources()
      const record: TestRecord = {
        format: 1,
        commit: before.commit,
        treeIsClean: before.isClean && after.isClean && before.commit === after.commit,
        parts,
        isWhole,
        startedAt,
        endedAt: new Date().toISOString(),
        machine: machineName(),
      }
      writeFileSync(target, `${JSON.stringify(record, null, 2)}\n`)
    },
  }
}

/** In an unpacked release its manifest says what the sources are, in a checkout git does. */
async function readSources(): Promise<Sources> {
  const manifestFile = path.join(root, 'release.json')
  if (existsSync(manifestFile)) {
    const manifestBytes = readFileSync(manifestFile)
    const manifest = JSON.parse(manifestBytes.toString()) as ReleaseManifest
    return { commit: manifest.commit, isClean: !inspectFolder(root, { manifest, manifestBytes }).some(isChange) }
  }
  const head = await runProgram('git', ['rev-parse', 'HEAD'])
  const status = await runProgram('git', ['status', '--porcelain'])
  const commit = head.output.trim()
  if (head.code !== 0 || status.code !== 0 || !/^[0-9a-f]{40,64}$/.test(commit)) {
    throw new CommandFailure('--record needs a git checkout or an unpacked release, to say what was tested.')
  }
  return { commit, isClean: status.output.trim() === '' }
}

/** Files that tests leave behind change nothing of what was tested. */
const isChange = (difference: string): boolean => !/^(?:e2e\/test-results|frontend\/dist\/)/.test(difference)
