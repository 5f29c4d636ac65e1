import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

const env = process.env

/** Settings of the benches; see README.md. */
export const config = {
  photosDir: path.resolve(root, env['DAM_PHOTOS'] ?? '../shared/photos'),
  /** Everything the benches write but their results. Libraries of generated rows are kept here from run to run. */
  scratchDir: path.resolve(env['DAM_BENCH_SCRATCH'] ?? path.join(tmpdir(), 'dam-bench')),
  port: Number(env['DAM_BENCH_PORT'] ?? 18500),
  chromium:
    env['DAM_CHROMIUM'] ??
    ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) => existsSync(file)),
  /** Starts the product; `./dam up` unless another release is to be measured. */
  command: env['DAM_BENCH_COMMAND']?.split(' '),
  /** Measure less: for trying a bench out, not for results. */
  quick: env['DAM_BENCH_QUICK'] === '1',
  /** Kills in `alert-kill`, cuts in `alert-power`; rounds of each kind in `rollback`, `diagnosis` and `lock`; 100 unless given. */
  rounds: env['DAM_BENCH_ROUNDS'] === undefined ? undefined : Number(env['DAM_BENCH_ROUNDS']),
  /** Hosts that `rollback` deploys to at the same time. */
  lanes: env['DAM_BENCH_LANES'] === undefined ? undefined : Number(env['DAM_BENCH_LANES']),
  /** Only kinds of `rollback` whose name contains it. */
  only: env['DAM_BENCH_ONLY'],
  /** Other random numbers for what is simulated; the default gives the same ones in every run. */
  seed: Number(env['DAM_BENCH_SEED'] ?? 0),
  /** How much `simulate` lives through; 100 000 hours unless given. */
  simulatedHours: env['DAM_BENCH_HOURS'] === undefined ? undefined : Number(env['DAM_BENCH_HOURS']),
  /** `diagnosis` and `rollback` begin no round after so many minutes, however many they have done. */
  minutes: env['DAM_BENCH_MINUTES'] === undefined ? undefined : Number(env['DAM_BENCH_MINUTES']),
  /** What the product is started with: our own environment without settings of another DAM. */
  inherited: Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^(DAM_|DATABASE_URL$|REDIS_URL$|PORT$|HOST$|NODE_OPTIONS$|npm_)/.test(name),
    ),
  ),
} as const

export function demandChromium(): string {
  if (config.chromium) return config.chromium
  throw new Error('This bench needs Chromium: apt-get install chromium, or name one with DAM_CHROMIUM.')
}
