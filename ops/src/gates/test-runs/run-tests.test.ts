import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratchRelease } from '../testing/scratch-gates.ts'
import { sha256 } from './record-tests.ts'
import { runTests } from './run-tests.ts'

const part = { passed: 4, failed: 0, durationMs: 5 }
const report = {
  format: 1,
  commit: 'c'.repeat(40),
  treeIsClean: true,
  parts: { unit: part, integration: part, e2e: part },
  isWhole: true,
  startedAt: '2027-03-01T10:00:00.000Z',
  endedAt: '2027-03-01T11:00:00.000Z',
  machine: 'here',
}

/** A folder whose `./dam` does what the script says; `$3` is the report it was asked for. */
async function runIn(script: string, timeoutMs = 30_000) {
  const dir = mkdtempSync(path.join(tmpdir(), 'dam-run-tests-'))
  try {
    writeFileSync(path.join(dir, 'dam'), `#!/bin/sh\n${script}\n`)
    chmodSync(path.join(dir, 'dam'), 0o755)
    const logFile = path.join(dir, 'log')
    const environment = { PATH: '/usr/bin:/bin' }
    return await runTests({ dir, release: scratchRelease(), environment, logFile, timeoutMs, say: () => undefined })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
const writing = (record: object): string => `cat > "$3" <<'END'\n${JSON.stringify(record)}\nEND`

describe('running the tests of a release', () => {
  it('takes its report when the closing line says the same, with the hash of the log', async () => {
    const { record, logHash } = await runIn(
      `test "$1 $2" = "test --record" || exit 3\n${writing(report)}\necho '12 passed, 0 failed'`,
    )
    expect(record).toEqual(report)
    expect(logHash).toBe(sha256('12 passed, 0 failed\n'))
  })

  it('believes nothing else', async () => {
    await expect(runIn(`echo '12 passed, 0 failed'`)).rejects.toThrow('left no report')
    await expect(runIn(`echo '{}' > "$3"; echo '12 passed, 0 failed'`)).rejects.toThrow('left no report')
    await expect(runIn(`${writing(report)}\necho '11 passed, 1 failed'`)).rejects.toThrow('closing line')
    await expect(runIn(writing(report))).rejects.toThrow('closing line')
    const other = writing({ ...report, commit: 'd'.repeat(40) })
    await expect(runIn(`${other}\necho '12 passed, 0 failed'`)).rejects.toThrow('report commit dddd')
    await expect(runIn('kill -9 $$')).rejects.toThrow('ended by SIGKILL')
  })

  it('ends a run that takes too long, with everything it started', async () => {
    await expect(runIn('sleep 300 & sleep 300', 300)).rejects.toThrow('took longer')
  })
})
