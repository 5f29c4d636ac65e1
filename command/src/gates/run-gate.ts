import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { securityHeaders } from '@dam/platform/http/security-headers'
import { hostFolders } from '@dam/ops/src/environments/environment.ts'
import { figuresOfBench, readBudgets } from '@dam/ops/src/gates/performance/budgets.ts'
import { describe } from '@dam/ops/src/gates/performance/judge-performance.ts'
import { measureInstance } from '@dam/ops/src/gates/performance/measure-instance.ts'
import { measureScripts } from '@dam/ops/src/gates/performance/measure-scripts.ts'
import { recordPerformance } from '@dam/ops/src/gates/performance/record-performance.ts'
import { startScratchInstance } from '@dam/ops/src/gates/performance/scratch-instance.ts'
import { checkResponseHeaders } from '@dam/ops/src/gates/security/response-headers.ts'
import { scanRelease } from '@dam/ops/src/gates/security/scan-release.ts'
import { keepTestRecord, machineName } from '@dam/ops/src/gates/test-runs/record-tests.ts'
import { runTests } from '@dam/ops/src/gates/test-runs/run-tests.ts'
import { dayMs } from '@dam/ops/src/gates/gate-policy.ts'
import { installRelease } from '@dam/ops/src/releases/install-release.ts'
import type { Release } from '@dam/ops/src/releases/release.ts'
import { verifyStoredRelease } from '@dam/ops/src/releases/verify-release.ts'
import { root, shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { runProgram } from '../run-program.ts'
import { type GatePlace, whoRuns } from './gate-place.ts'
import { runMigrationsGate } from './run-migrations-gate.ts'

type Verdict = 'pass' | 'fail' | 'unknown'

const testMinutes = 90

/** Gates whose evidence a run makes. `environment`: for evidence that differs from one to the other; undefined means every one of the host. */
export const runs: Record<
  string,
  (gates: GatePlace, release: Release, environment: string | undefined) => Promise<Verdict>
> = {
  reviewed: async ({ deps }, release) => {
    const { verdict, evidence } = await deps.review(release, new Date())
    console.log(evidence.summary)
    return verdict
  },
  tests: runTestsGate,
  security: runSecurityGate,
  performance: runPerformanceGate,
  migrations: runMigrationsGate,
}

async function runTestsGate(gates: GatePlace, release: Release): Promise<Verdict> {
  const { hostDir, store, deps } = gates
  const { dir } = await installRelease({ hostDir, release, say, packages: 'all' })
  const { logs } = hostFolders(hostDir)
  mkdirSync(logs, { recursive: true })
  const logFile = path.join(logs, `tests-${release.tag}-${Date.now()}.log`)
  say(`running all tests of ${release.tag}; their output goes to ${logFile}`)
  const { record, logHash } = await runTests({
    dir,
    release,
    environment: plainEnvironment(['DAM_CORPUS', 'DAM_CHROMIUM']),
    logFile,
    timeoutMs: testMinutes * 60_000,
    say,
  })
  const verdict = keepTestRecord(
    { store, policy: deps.policy, release, by: whoRuns(), record, hash: logHash, how: 'run from the artifact' },
    new Date(),
  )
  for (const [part, { passed, failed, durationMs }] of Object.entries(record.parts)) {
    console.log(`  ${part.padEnd(11)}  ${passed} passed, ${failed} failed  ${(durationMs / 1000).toFixed(0)} s`)
  }
  return verdict
}

async function runSecurityGate(gates: GatePlace, release: Release): Promise<Verdict> {
  const { hostDir, store, deps } = gates
  const { files } = await verifyStoredRelease(hostDir, release.digest)
  const { verdict, lines } = await scanRelease(
    {
      store,
      policy: deps.policy,
      release,
      files: contentsOf(files),
      registry: await npmRegistry(),
      checkHeaders: () => headersOf(gates, release),
      by: whoRuns(),
    },
    new Date(),
  )
  const marks = { pass: '✓', fail: '✗', unknown: '?' }
  for (const { check, state, summary, findings } of lines) {
    console.log(`${marks[state]} ${check.padEnd(10)}  ${summary}`)
    for (const finding of findings) console.log(`                ${finding}`)
  }
  if (verdict === 'unknown') console.log('\nNothing went on record: what is not known has not passed.')
  return verdict
}

/** Of staging when it runs this very release, else of an instance started for it. */
async function headersOf(gates: GatePlace, release: Release) {
  const staging = gates.environments.find(({ name }) => name === 'staging')
  if (staging) {
    const origin = `http://${staging.host === '0.0.0.0' ? '127.0.0.1' : staging.host}:${staging.port}`
    const isHttps = staging.publicUrl.startsWith('https:')
    const line = await checkResponseHeaders({
      origin,
      tag: release.tag,
      expected: securityHeaders(isHttps),
      timeoutMs: 5_000,
    })
    if (line.state !== 'unknown') return line
  }
  await using instance = await startInstance(gates, release)
  return await checkResponseHeaders({ origin: instance.origin, tag: release.tag, expected: securityHeaders(false) })
}

async function runPerformanceGate(gates: GatePlace, release: Release): Promise<Verdict> {
  const { hostDir, store, deps } = gates
  const files = contentsOf((await verifyStoredRelease(hostDir, release.digest)).files)
  const budgets = files.get('bench/budgets.json')
  if (!budgets)
    throw new CommandFailure(`${release.tag} has no bench/budgets.json, so nothing says what is fast enough.`)
  const now = new Date()
  const measured = await (async () => {
    await using instance = await startInstance(gates, release)
    say('a short load')
    return await measureInstance(instance, `scratch instance on ${machineName()}`)
  })()
  const figures = [...measured, ...measureScripts(files), ...benchFigures(release, deps.policy.performanceDays, now)]
  const { verdict, evidence, lines } = recordPerformance(
    {
      store,
      policy: deps.policy,
      release,
      budgets: readBudgets(new TextDecoder().decode(budgets)),
      figures,
      by: whoRuns(),
    },
    new Date(),
  )
  for (const line of lines) console.log(`${line.isMet ? '✓' : '✗'} ${describe(line)}`)
  console.log(evidence.summary)
  return verdict
}

/** Results of `pnpm bench` in this checkout that were measured at the release's commit. */
function benchFigures(release: Release, days: number, now: Date) {
  const folder = path.join(root, 'bench/results')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const text = readFileSync(path.join(folder, name), 'utf8')
      return figuresOfBench(text, { commit: release.commit, youngerThanMs: days * dayMs }, now)
    })
}

async function startInstance({ hostDir }: GatePlace, release: Release) {
  const { dir } = await installRelease({ hostDir, release, say })
  say(`starting ${release.tag} on data of its own`)
  return startScratchInstance({ dir, environment: plainEnvironment([]) })
}

/** No setting of this DAM reaches a release that is being looked at. */
function plainEnvironment(more: readonly string[]): Record<string, string> {
  const kept = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TMPDIR', 'TZ', ...more]
  return Object.fromEntries(kept.flatMap((name) => (shellEnvironment[name] ? [[name, shellEnvironment[name]]] : [])))
}

async function npmRegistry(): Promise<string> {
  const { code, output } = await runProgram('npm', ['config', 'get', 'registry']).catch(() => ({ code: 1, output: '' }))
  const text = output.trim().split('\n').at(-1) ?? ''
  return code === 0 && /^https?:\/\//.test(text) ? text : 'https://registry.npmjs.org/'
}

const contentsOf = (files: ReadonlyMap<string, { content: Buffer }>): Map<string, Uint8Array> =>
  new Map([...files].map(([name, { content }]) => [name, content]))

const say = (message: string): void => console.log(message)
