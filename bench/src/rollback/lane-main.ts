// One lane of the bench `rollback`: a host of its own. `node lane-main.ts <first port>`, told by messages what to play.
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { scratchHost } from '@dam/ops/src/testing/scratch-host.ts'
import { testDatabase } from '@dam/platform/testing/database'
import { holdOpen } from '@dam/ops/src/testing/hold-open.ts'
import { breakableDatabase } from './breakable-database.ts'
import { kinds } from './kinds.ts'
import { type Lane, playRound, type Round, serveFirst, settle } from './round.ts'

/** To a lane: which kind to play. */
export type ToLane = { kind: number } | 'end'
/** From a lane: it is ready, or a round ended. */
export type FromLane = { ready: true } | { round: Round; lateMs: number } | { broken: string }

process.title = 'dam: bench lane'
const [firstPort = '0'] = process.argv.slice(2)
const say = (message: FromLane): void => void process.send?.(message)
{
  await using empty = await testDatabase({ empty: true })
  await using _held = await holdOpen(empty.connectionString)
  await using database = await breakableDatabase(empty.connectionString)
  await using host = await scratchHost({ databaseUrl: database.connectionString, firstPort: Number(firstPort) })
  // The product's cgroup; what leaks is ended by the keeper long before the machine feels it.
  host.startKeeper('--memory-bound', '300', '--memory-patience', '2')
  const lane: Lane = { host, database, nextVersion: 1 }
  await serveFirst(lane)
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  say({ ready: true })
  // The bench is gone.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  for (;;) {
    const [told] = (await once(process, 'message')) as [ToLane]
    if (told === 'end') break
    const kind = kinds[told.kind]
    if (!kind) throw new Error(`There is no kind ${told.kind}.`)
    try {
      delay.reset()
      const round = await playRound(lane, kind)
      say({ round, lateMs: delay.percentile(99) / 1e6 })
    } catch (error) {
      say({ broken: error instanceof Error ? error.message : String(error) })
      await settle(lane)
    }
  }
}
process.exit(0)
