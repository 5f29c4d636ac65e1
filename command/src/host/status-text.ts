import type { EnvironmentStatus } from '@dam/ops/src/environments/host-status.ts'
import type { ProcessObservation, Slot } from '@dam/ops/src/deployments/deployment.ts'

/** The calm table of `./dam host status`. */
export const statusText = (environments: readonly EnvironmentStatus[]): string => environments.map(textOf).join('\n\n')

function textOf(status: EnvironmentStatus): string {
  const { environment, publicUrl, keeper, front, database, pointer, slots, lock, lastDeployment } = status
  const maintenance = front?.pointer.maintenance
  const rows: [string, string][] = [
    ['serves', pointer?.active ? `${pointer.active.tag} (${pointer.active.slot})` : 'nothing yet: ./dam deploy'],
    [
      'front',
      front
        ? `process ${front.pid}, ${front.connections} connections${maintenance ? `, maintenance: ${maintenance.reason}` : ''}`
        : 'does not answer',
    ],
    ['keeper', keeper === null ? 'none: ./dam host up' : `process ${keeper}`],
    ['database', databaseText(database)],
    ...slots.map((slot): [string, string] => [slot.id, slotText(slot)]),
  ]
  if (lock) rows.push(['lock', `${lock.who}: ${lock.purpose}, since ${lock.since}`])
  if (lastDeployment) {
    const { id, kind, tag, state, because } = lastDeployment
    rows.push(['last', `${kind} ${id} of ${tag}: ${state}${because ? ` (${because})` : ''}`])
  }
  const width = Math.max(...rows.map(([name]) => name.length))
  return [`${environment}  ${publicUrl}`, ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)].join('\n')
}

function databaseText(database: EnvironmentStatus['database']): string {
  if (database.kind === 'external') return 'external'
  if (database.pid === null) return 'does not run'
  return `built-in, process ${database.pid}${database.isReady ? '' : ', not ready'}`
}

function slotText(slot: Slot): string {
  const { observed } = slot
  return `${slot.tag} on ${slot.port}: web ${processText(observed?.web)}, worker ${processText(observed?.worker)}`
}

function processText(observation: ProcessObservation | undefined): string {
  if (!observation) return 'not seen yet'
  const { state, rssBytes, crashes, lastExit } = observation
  const memory = rssBytes > 0 ? ` ${Math.round(rssBytes / 1024 ** 2)} MiB` : ''
  return `${state}${memory}${crashes > 0 ? `, ended by itself ${crashes} times (last: ${lastExit ?? 'unknown'})` : ''}`
}
