import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openIncident } from '@dam/ops/src/incidents/incident-store.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { endure, quickClimb } from './alerts/endure.ts'
import { opsPlace } from './alerts/ops-process.ts'
import { startReceiver } from './alerts/receiver.ts'
import { openVolatileDisk, type VolatileDisk } from './alerts/volatile-disk.ts'
import { config } from './config.ts'
import { type Figure, report } from './report.ts'

/** Power cuts of the real ops process while incidents open and climb, on a disk that forgets what was not synced. */
export async function run(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('This bench mounts a disk of its own. Run it as root.')
  const cuts = config.quick ? 10 : (config.rounds ?? 100)
  using disk = openVolatileDisk(path.join(config.scratchDir, 'alert-power'))
  const control = await lostWithoutSync(disk, Math.ceil(cuts / 10))
  await using receiver = await startReceiver(400)
  const place = await opsPlace(path.join(disk.folder, 'place'), { receiver: receiver.url, after: quickClimb })
  // The policy is there before the first cut, as on a machine that is set up.
  disk.settle()
  const figures = await endure({
    called: 'power cuts of the ops process',
    deaths: cuts,
    place,
    receiver,
    die: async (ops, store) => {
      process.kill(ops.pid, 'SIGSTOP')
      disk.freeze()
      // Closed while the other still holds it open, so that closing writes nothing.
      store.close()
      await ops.kill()
      disk.cut()
      return openStore(place.folder)
    },
  })
  report('alert-power', [...figures, control])
}

/** What the same cuts cost a store that does not wait for its disk: shows that they do take away what was not synced. */
async function lostWithoutSync(disk: VolatileDisk, cuts: number): Promise<Figure> {
  const folder = path.join(disk.folder, 'control')
  openStore(folder).close()
  let [committed, lost] = [0, 0]
  for (let cut = 0; cut < cuts; cut++) {
    const store = openStore(folder, { durability: 'none' })
    const ids = Array.from(
      { length: 5 },
      (_, n) =>
        openIncident(store, {
          environment: 'bench',
          severity: 'P1',
          title: `Control ${cut}/${n}`,
          cause: '',
          dedupKey: `control/${cut}/${n}`,
          openedBy: 'bench',
          now: new Date(),
        }).incident.id,
    )
    await sleep(50)
    disk.freeze()
    store.close()
    disk.cut()
    const after = openStore(folder)
    const known = new Set(after.rows<{ id: number }>('select id from incident').map(({ id }) => id))
    after.close()
    committed += ids.length
    lost += ids.filter((id) => !known.has(id)).length
  }
  return {
    figure: 'control, a store that does not sync: committed incidents lost',
    value: lost,
    unit: 'count',
    n: committed,
    target: { atLeast: 1 },
  }
}
