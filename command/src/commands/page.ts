import { parseArgs } from 'node:util'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import { openIncident } from '@dam/ops/src/incidents/incident-store.ts'
import { CommandFailure } from '../failure.ts'
import { openWatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam page <what is wrong> [--severity P0|P1|P2|P3] [--environment <name>]

Opens an incident by hand and has it climb like any other: whoever is on call is told first, then the next levels, until
somebody acknowledges (./dam incident <number> ack). Default: P1, production where there is a host, else local.
The ops process sends the messages; while it is down they wait and go out when it is back.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      host: { type: 'string' },
      severity: { type: 'string', default: 'P1' },
      environment: { type: 'string' },
    },
  })
  const title = positionals.join(' ').trim()
  if (!title) throw new CommandFailure('Say what is wrong: ./dam page "uploads hang since 10:15" --severity P0')
  const severity = (['P0', 'P1', 'P2', 'P3'] as const).find((known) => known === values.severity)
  if (!severity) throw new CommandFailure(`There is no severity "${values.severity}". There are: P0, P1, P2, P3.`)
  using place = openWatchPlace(values.host)
  const names = place.place.environments.map(({ name }) => name)
  const environment = values.environment ?? names.find((name) => name === 'production') ?? names[0] ?? ''
  if (!names.includes(environment))
    throw new CommandFailure(`There is no environment "${environment}". There is: ${names.join(', ')}`)
  const { store, who, now } = place
  const { incident } = store.transaction(() => {
    recordAudit(store, { who, action: 'page', subject: environment, detail: { title, severity }, now })
    return openIncident(store, {
      environment,
      severity,
      title,
      cause: `reported by ${who}`,
      dedupKey: `${environment}/person/${now.getTime()}`,
      openedBy: who,
      now,
    })
  })
  console.log(
    `Incident ${incident.id} is open (${severity}, ${environment}). ./dam incident ${incident.id} follows it.`,
  )
  return 0
}
