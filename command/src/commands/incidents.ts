import { parseArgs } from 'node:util'
import { listIncidents } from '@dam/ops/src/incidents/incident-store.ts'
import { tableText } from '../table.ts'
import { openWatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam incidents [--all] [--json]

Incidents that are not resolved, or all of them, newest first. ./dam incident <number> shows and works on one.
`

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      host: { type: 'string' },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  using place = openWatchPlace(values.host)
  const incidents = listIncidents(place.store, { state: values.all ? 'all' : 'unresolved', limit: 200 })
  if (values.json) console.log(JSON.stringify(incidents, null, 2))
  else if (incidents.length === 0) console.log(values.all ? 'There has been no incident.' : 'No incident is open.')
  else
    console.log(
      tableText(
        ['number', 'severity', 'environment', 'state', 'opened', 'what'],
        incidents.map((one) => [one.id, one.severity, one.environment, one.state, one.openedAt, one.title]),
      ),
    )
  return 0
}
