import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openLog } from './log.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'dam-log-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('two processes keep one log within bounds and write to the same current file', () => {
  const fileBytes = 100_000
  const [web, worker] = ['web', 'worker'].map((process) =>
    openLog({ directory, process, level: 'info', stdout: false, fileBytes }),
  )
  for (let n = 0; n < 8_000; n++) for (const log of [web, worker]) log?.info('line', { n })
  const files = readdirSync(directory)
  expect(files.toSorted()).toEqual(['app.log', 'app.log.1', 'app.log.2', 'app.log.3', 'app.log.4', 'app.log.5'])
  // 500 lines of each process may come between two looks.
  for (const file of files) expect(statSync(path.join(directory, file)).size).toBeLessThan(fileBytes * 4)
  for (let n = 0; n < 600; n++) for (const log of [web, worker]) log?.info('late', { n })
  const lines = readFileSync(path.join(directory, 'app.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { process: string })
  expect(new Set(lines.map((line) => line.process))).toEqual(new Set(['web', 'worker']))
})

test.runIf(process.platform === 'linux')(
  'a full disk costs log lines, never what is being logged, and the log goes on afterwards',
  () => {
    const full = mkdtempSync(path.join(tmpdir(), 'dam-log-full-'))
    const file = path.join(full, 'app.log')
    symlinkSync('/dev/full', file)
    const log = openLog({ directory: full, process: 'web', level: 'info', stdout: false })
    for (let n = 0; n < 5_000; n++) log.error('nowhere to write this', { n, error: new Error('x'.repeat(500)) })
    rmSync(file)
    for (let n = 0; n < 1_000; n++) log.info('space again', { n })
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toContain('space again')
    rmSync(full, { recursive: true })
  },
)
