import { parseArgs } from 'node:util'
import { addSilence, endSilence } from '@dam/ops/src/alerts/alert-store.ts'
import { describeLimit, formatValue } from '@dam/ops/src/alerts/describe-reading.ts'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import { readAlerts } from '@dam/ops/src/console/views/alert-view.ts'
import { parseDuration } from '@dam/ops/src/policy/units.ts'
import { CommandFailure } from '../failure.ts'
import { tableText } from '../table.ts'
import { openWatchPlace, type WatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam alerts [--all]                                    what fires or is about to, and silences; --all shows every rule
       ./dam alerts history                                    the newest changes
       ./dam alerts silence <rule>|all --for 2h --reason <text>   nobody is called for it, 30 days at most
       ./dam alerts unsilence <number>                         the silence ends now

--environment <name> means one environment, else all; --json prints it for machines; --by <name> says who you are when the
terminal does not. A silence hides no alert: it is seen, kept and decided again when the silence ends.
`

const options = {
  host: { type: 'string' },
  by: { type: 'string' },
  all: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  environment: { type: 'string' },
  for: { type: 'string' },
  reason: { type: 'string', default: '' },
} as const

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const [action = 'show', word = ''] = positionals
  using place = openWatchPlace(values.host, values.by)
  const names = place.place.environments.map(({ name }) => name)
  if (values.environment !== undefined && !names.includes(values.environment))
    throw new CommandFailure(`There is no environment "${values.environment}". There is: ${names.join(', ')}`)
  const view = readAlerts(
    place.store,
    place.policy,
    values.environment === undefined ? names : [values.environment],
    place.now,
  )
  switch (action) {
    case 'show': {
      const alerts = view.alerts.filter(
        ({ phase }) => values.all || ['pending', 'firing', 'keep-firing'].includes(phase),
      )
      if (values.json) console.log(JSON.stringify({ alerts, silences: view.silences }, null, 2))
      else show(place, alerts, view.silences)
      return 0
    }
    case 'history':
      if (values.json) console.log(JSON.stringify(view.changes, null, 2))
      else
        console.log(
          tableText(
            ['when', 'environment', 'rule', 'now'],
            view.changes.map(({ at, environment, rule, phase }) => [at, environment, rule, phase]),
          ),
        )
      return 0
    case 'silence':
      silence(place, { rule: word, environment: values.environment ?? '*', for: values.for, reason: values.reason })
      return 0
    case 'unsilence':
      unsilence(place, Number(word))
      return 0
    default:
      throw new CommandFailure(`There is no "./dam alerts ${action}". ./dam alerts --help lists what there is.`)
  }
}

type View = ReturnType<typeof readAlerts>

function show({ policy }: WatchPlace, alerts: View['alerts'], silences: View['silences']): void {
  const rules = new Map(policy.alerts.map((rule) => [rule.name, rule]))
  const reading = (name: string, value: number | null): string => {
    const rule = rules.get(name)
    return value === null || !rule ? '' : formatValue(rule.signal, value)
  }
  const limit = (name: string): string => {
    const rule = rules.get(name)
    return rule ? describeLimit(rule) : ''
  }
  if (alerts.length === 0) console.log('No alert fires, none is about to.')
  else
    console.log(
      tableText(
        ['severity', 'environment', 'rule', 'state', 'reads', 'limit', 'incident'],
        alerts.map((alert) => [
          alert.severity,
          alert.environment,
          alert.rule,
          `${alert.phase}${alert.silence ? ', silenced' : ''}${alert.inhibitedNowBy ? `, follows from ${alert.inhibitedNowBy}` : ''}`,
          reading(alert.rule, alert.value),
          limit(alert.rule),
          alert.incidentId ?? '',
        ]),
      ),
    )
  for (const { id, environment, rule, until, reason, by } of silences)
    console.log(
      `Silence ${id}: ${rule === '*' ? 'all alerts' : rule} in ${environment === '*' ? 'every environment' : environment} until ${until}, ${by}: ${reason}`,
    )
}

function silence(
  { store, policy, who, now }: WatchPlace,
  asked: { rule: string; environment: string; for: string | undefined; reason: string },
): void {
  const rules = policy.alerts.map(({ name }) => name)
  if (asked.rule !== 'all' && !rules.includes(asked.rule))
    throw new CommandFailure(
      `${asked.rule === '' ? 'Name an alert' : `The policy has no alert "${asked.rule}"`}. There is: ${rules.join(', ')}; or all.`,
    )
  const lengthMs = asked.for === undefined ? null : parseDuration(asked.for)
  if (lengthMs === null)
    throw new CommandFailure(`Say for how long: ./dam alerts silence ${asked.rule} --for 2h --reason "…"`)
  const rule = asked.rule === 'all' ? '*' : asked.rule
  const { environment, reason } = asked
  const until = new Date(now.getTime() + lengthMs)
  const id = store.transaction(() => {
    recordAudit(store, {
      who,
      action: 'alert.silenced',
      subject: `${environment}/${rule}`,
      detail: { until: until.toISOString(), reason },
      now,
    })
    return possible(() => addSilence(store, { environment, rule, reason, from: now, until, by: who, now }))
  })
  console.log(`Silence ${id} lasts until ${until.toISOString()}. End it: ./dam alerts unsilence ${id}`)
}

function unsilence({ store, who, now }: WatchPlace, id: number): void {
  store.transaction(() => {
    if (!Number.isInteger(id) || !endSilence(store, id, now))
      throw new CommandFailure('Name a silence that lasts; ./dam alerts shows them with their numbers.')
    recordAudit(store, { who, action: 'alert.unsilenced', subject: `silence:${id}`, now })
  })
  console.log(`Silence ${id} is over; what fires calls people at the next look.`)
}

function possible<T>(deed: () => T): T {
  try {
    return deed()
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : String(error))
  }
}
