import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { startRelease } from '@dam/ops/src/migrations/start-release.ts'
import { buildRelease } from '@dam/ops/src/releases/build-release.ts'
import { exportRelease } from '@dam/ops/src/releases/exchange-release.ts'
import { installRelease } from '@dam/ops/src/releases/install-release.ts'
import type { Release } from '@dam/ops/src/releases/release.ts'
import { nodeOfRelease } from '@dam/ops/src/releases/toolchain-folder.ts'
import { migrate, readMigrations } from '@dam/platform/migrate'
import { startPostgres } from '@dam/platform/postgres/start'
import { config, root } from './config.ts'
import { median, quantile, report } from './report.ts'

const folder = path.join(config.scratchDir, 'release')
const checkout = path.join(folder, 'checkout')
const hostDir = path.join(folder, 'host')
const tag = 'v0.0.1-bench'
const installEntry = path.join(root, 'ops/src/releases/testing/build-and-install.ts')

/** The product of HEAD as a release: built twice, installed without a network, started as a rollback would start it. */
export async function run(): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(hostDir, { recursive: true })
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, checkout])
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org']
  execFileSync('git', [...identity, 'tag', '-a', tag, '-m', 'bench'], { cwd: checkout })

  const cold = await build()
  const warm = await build()
  if (warm.built.release.digest !== cold.built.release.digest) throw new Error('the same tag gave two digests')
  const { release } = cold.built
  const times = config.quick ? 2 : 10
  const offline: number[] = []
  for (let i = 0; i < times; i++) offline.push(installWithoutNetwork())
  const again = await seconds(() => install(release))
  const starts = await coldStarts(release, times)
  report('release', [
    { figure: 'build, every package from the registry', value: cold.took, unit: 's', n: 1 },
    { figure: 'build, packages at hand: same digest', value: warm.took, unit: 's', n: 1 },
    { figure: 'artifact', value: cold.built.sizeBytes / 1e6, unit: 'MB', n: 1 },
    { figure: 'exported file', value: (await exportRelease(hostDir, release)).length / 1e6, unit: 'MB', n: 1 },
    { figure: 'install, network cut', value: median(offline), unit: 's', n: times },
    { figure: 'install, network cut: slowest', value: quantile(offline, 1), unit: 's', n: times },
    { figure: 'found installed, every file verified', value: again, unit: 's', n: 1 },
    {
      figure: 'cold rollback: install and start until ready',
      value: median(starts),
      unit: 's',
      n: times,
      target: { atMost: 30 },
    },
    { figure: 'cold rollback: slowest', value: quantile(starts, 1), unit: 's', n: times, target: { atMost: 30 } },
  ])
  rmSync(folder, { recursive: true })
}

const install = (release: Release) => installRelease({ hostDir, release, say: () => undefined })

const forget = () => rmSync(path.join(hostDir, 'releases'), { recursive: true, force: true })

async function build() {
  let built: Awaited<ReturnType<typeof buildRelease>> | undefined
  const took = await seconds(async () => {
    built = await buildRelease({ hostDir, checkout, tag, say: (step) => console.log(`  ${step}`) })
  })
  if (!built) throw new Error('nothing was built')
  return { built, took }
}

/** In a network namespace of its own, which has no interface that is up, not even loopback. */
function installWithoutNetwork(): number {
  forget()
  const startedAt = performance.now()
  const args = ['-rn', process.execPath, installEntry, 'install', hostDir, tag]
  const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`installing without a network failed: ${stdout}${stderr}`)
  return (performance.now() - startedAt) / 1000
}

async function coldStarts(release: Release, times: number): Promise<number[]> {
  const took: number[] = []
  const quiet = { info: () => undefined, warn: (message: string) => console.log(message) }
  await using postgres = await startPostgres({ dataDir: path.join(folder, 'data'), log: quiet })
  const { connectionString } = postgres
  const dataDir = path.join(folder, 'files')
  mkdirSync(dataDir, { recursive: true })
  for (let i = 0; i < times; i++) {
    const { dir } = await install(release)
    await migrate({
      connectionString,
      app: 'backend',
      migrations: readMigrations(path.join(dir, 'backend/migrations')),
    })
    forget()
    const startedAt = performance.now()
    const { dir: releaseDir } = await install(release)
    const nodeProgram = nodeOfRelease(releaseDir)
    const environment = config.inherited
    await using _running = await startRelease({ releaseDir, connectionString, dataDir, nodeProgram, environment })
    took.push((performance.now() - startedAt) / 1000)
  }
  return took
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1000
}
