import path from 'node:path'
import { killAlertmanager } from './alerts/alertmanager.ts'
import { endure, quickClimb } from './alerts/endure.ts'
import { opsPlace } from './alerts/ops-process.ts'
import { startReceiver } from './alerts/receiver.ts'
import { config } from './config.ts'
import { report } from './report.ts'

/** kill -9 of the real ops process while incidents open and climb; then the same for Debian's Alertmanager. */
export async function run(): Promise<void> {
  const kills = config.quick ? 10 : (config.rounds ?? 100)
  await using receiver = await startReceiver(400)
  const place = await opsPlace(path.join(config.scratchDir, 'alert-kill'), {
    receiver: receiver.url,
    after: quickClimb,
  })
  // At the same time, so that both meet the same machine.
  const peerKilled = killAlertmanager(kills)
  peerKilled.catch(() => undefined)
  const figures = await endure({
    called: 'kill -9 of the ops process',
    deaths: kills,
    place,
    receiver,
    die: async (ops, store) => {
      await ops.kill()
      return store
    },
  })
  const peer = await peerKilled
  if (!peer) console.log('Alertmanager is not installed, so there is nothing to compare with.')
  report('alert-kill', [
    ...figures,
    ...(peer
      ? [
          {
            figure: 'Alertmanager, same kills: accepted alerts never told',
            value: peer.lost,
            unit: 'count',
            n: peer.accepted,
            peer: `${peer.version}; lost unless Prometheus sends them again`,
          },
        ]
      : []),
  ])
}
