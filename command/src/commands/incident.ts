import { evidenceLines } from '@dam/ops/src/incidents/evidence-lines.ts'
import { parseArgs } from 'node:util'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import { type OpsConfig, readOpsConfig } from '@dam/ops/src/config.ts'
import { readHost } from '@dam/ops/src/environments/host.ts'
import { findEscalation, snoozeIncident } from '@dam/ops/src/escalation/escalation-store.ts'
import type { Incident } from '@dam/ops/src/incidents/incident.ts'
import {
  acknowledgeIncident,
  addIncidentEvent,
  findIncident,
  listIncidentEvents,
  resolveIncident,
  setSeverity,
  withdrawAcknowledgement,
} from '@dam/ops/src/incidents/incident-store.ts'
import { draftPostmortem } from '@dam/ops/src/incidents/draft-postmortem.ts'
import { assignRole, isRole, listRoles, roles } from '@dam/ops/src/incidents/incident-roles.ts'
import { parseDuration } from '@dam/ops/src/policy/units.ts'
import { addPublicUpdate, findPublicIncident } from '@dam/ops/src/status-page/public-update-store.ts'
import { tellSubscribers } from '@dam/ops/src/status-page/tell-subscribers.ts'
import { shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { openWatchPlace, type WatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam incident <number>                    what happened, who was called, the evidence
       ./dam incident <number> ack                you have it: the climb stops for as long as its severity allows
       ./dam incident <number> note <text>        for the time line
       ./dam incident <number> update <text>      for the time line and the incidents channel
       ./dam incident <number> public <state> <text> [--title <text>]   for the status page and its readers; the title is
                                                  needed once. States: investigating, identified, watching, resolved
       ./dam incident <number> resolve <text>     it is over, and why
       ./dam incident <number> unack              you give it back: the climb begins again
       ./dam incident <number> snooze 30m         nobody is called for so long (a day at most), then from the first level on
       ./dam incident <number> severity P0        a rise calls at once, whoever had acknowledged
       ./dam incident <number> role commander anna   who leads, who writes (scribe)
       ./dam incident <number> postmortem         a draft in Markdown, from what is on record

--json prints all of it for machines; --by <name> says who you are when the terminal does not.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      host: { type: 'string' },
      by: { type: 'string' },
      title: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [number = '', action = 'show', ...words] = positionals
  using place = openWatchPlace(values.host, values.by)
  const incident = findIncident(place.store, Number(number))
  if (!incident) throw new CommandFailure(`There is no incident ${number}. ./dam incidents --all lists them.`)
  const text = words.join(' ').trim()
  switch (action) {
    case 'show':
      show(place, incident, values.json)
      return 0
    case 'ack':
      if (!changed(place, incident, action, () => acknowledgeIncident(place.store, incident.id, place)))
        throw new CommandFailure(`Incident ${incident.id} is ${incident.state}${by(incident)}; nothing to acknowledge.`)
      console.log(`Incident ${incident.id} is yours.`)
      return 0
    case 'note':
    case 'update':
      if (!text) throw new CommandFailure(`Write it: ./dam incident ${incident.id} ${action} "…"`)
      changed(place, incident, action, () => {
        addIncidentEvent(place.store, incident.id, { kind: action, who: place.who, message: text, now: place.now })
        return true
      })
      console.log('Written to its time line.')
      return 0
    case 'resolve':
      if (!text)
        throw new CommandFailure(`Say why it is over: ./dam incident ${incident.id} resolve "rolled back to v1.0.0"`)
      if (
        !changed(place, incident, action, () => resolveIncident(place.store, incident.id, { ...place, message: text }))
      )
        throw new CommandFailure(`Incident ${incident.id} was resolved already.`)
      console.log(`Incident ${incident.id} is resolved.`)
      return 0
    case 'unack':
      if (!changed(place, incident, action, () => withdrawAcknowledgement(place.store, incident.id, place)))
        throw new CommandFailure(
          `Incident ${incident.id} is ${incident.state}; there is no acknowledgement to give back.`,
        )
      console.log(`Incident ${incident.id} is nobody's again; the climb begins anew.`)
      return 0
    case 'snooze': {
      const durationMs = parseDuration(text)
      if (durationMs === null || durationMs <= 0 || durationMs > 86_400_000)
        throw new CommandFailure(`Say for how long, a day at most: ./dam incident ${incident.id} snooze 30m`)
      const until = new Date(place.now.getTime() + durationMs)
      if (!changed(place, incident, action, () => snoozeIncident(place.store, incident.id, { ...place, until })))
        throw new CommandFailure(`Incident ${incident.id} is resolved; nobody is called for it.`)
      console.log(`Nobody is called for incident ${incident.id} before ${until.toISOString()}.`)
      return 0
    }
    case 'severity': {
      const severity = (['P0', 'P1', 'P2', 'P3'] as const).find((known) => known === text)
      if (!severity) throw new CommandFailure(`Say which: ./dam incident ${incident.id} severity P0 (P0, P1, P2, P3)`)
      if (!changed(place, incident, action, () => setSeverity(place.store, incident.id, { ...place, severity })))
        throw new CommandFailure(`Incident ${incident.id} is ${incident.state} with ${incident.severity} already.`)
      console.log(`Incident ${incident.id} is ${severity} now.`)
      return 0
    }
    case 'role': {
      const [role = '', ...name] = words
      if (!isRole(role) || name.length === 0)
        throw new CommandFailure(
          `Say which and who: ./dam incident ${incident.id} role commander anna (${roles.join(', ')})`,
        )
      changed(place, incident, action, () => {
        assignRole(place.store, incident.id, { role, person: name.join(' '), who: place.who, now: place.now })
        return true
      })
      console.log(`${name.join(' ')} is ${role} of incident ${incident.id}.`)
      return 0
    }
    case 'public':
      tellPublic(place, incident, { words, title: values.title })
      console.log(`The public knows: ${consoleUrl(place)}/status`)
      return 0
    case 'postmortem':
      console.log(draftPostmortem(place.store, incident))
      return 0
    default:
      throw new CommandFailure(`There is no "${action}". ./dam incident --help lists what there is.`)
  }
}

const publicStates = ['investigating', 'identified', 'watching', 'resolved'] as const

function tellPublic(
  place: WatchPlace,
  incident: Incident,
  said: { words: readonly string[]; title: string | undefined },
): void {
  const { store, policy, who, now } = place
  const [given, ...rest] = said.words
  const state = publicStates.find((known) => known === given)
  const text = rest.join(' ').trim()
  const title = said.title ?? findPublicIncident(store, incident.id)?.title
  const usage = `./dam incident ${incident.id} public investigating "Uploads fail; we look into it." --title "Uploads fail"`
  if (!state || !text) throw new CommandFailure(`Say the state (${publicStates.join(', ')}) and what to tell: ${usage}`)
  if (title === undefined) throw new CommandFailure(`Give it a name that the public understands: ${usage}`)
  const shown = opsConfigOf(place).statusEnvironments
  if (!shown.includes(incident.environment))
    throw new CommandFailure(
      `The status page does not show ${incident.environment}, only ${shown.join(', ') || 'nothing'}: OPS_STATUS_ENVIRONMENTS.`,
    )
  store.transaction(() => {
    const id = addPublicUpdate(store, { incidentId: incident.id, title: said.title, state, text, by: who, now })
    tellSubscribers(
      store,
      { id, incidentId: incident.id, title, state, text },
      { name: policy.service.name, baseUrl: consoleUrl(place), now },
    )
    recordAudit(store, {
      who,
      action: 'incident.told-public',
      subject: `incident:${incident.id}`,
      detail: { state, text },
      now,
    })
  })
}

const opsConfigOf = ({ place: { hostDir } }: WatchPlace): OpsConfig =>
  readOpsConfig(shellEnvironment, hostDir === null ? undefined : readHost(hostDir).ops)

function consoleUrl(place: WatchPlace): string {
  const { opsPublicUrl, opsHost, opsPort } = opsConfigOf(place)
  return opsPublicUrl ?? `http://${opsHost}:${opsPort}`
}

const by = ({ acknowledgedBy }: Incident): string => (acknowledgedBy === null ? '' : ` by ${acknowledgedBy}`)

function changed(place: WatchPlace, incident: Incident, action: string, work: () => boolean): boolean {
  return place.store.transaction(() => {
    const isChanged = work()
    if (isChanged)
      recordAudit(place.store, {
        who: place.who,
        action: `incident.${action}`,
        subject: `incident:${incident.id}`,
        now: place.now,
      })
    return isChanged
  })
}

function show({ store }: WatchPlace, incident: Incident, asJson: boolean): void {
  const events = listIncidentEvents(store, incident.id)
  const escalation = findEscalation(store, incident.id) ?? null
  if (asJson) return console.log(JSON.stringify({ ...incident, escalation, events }, null, 2))
  console.log(`Incident ${incident.id}  ${incident.severity}  ${incident.state}${by(incident)}\n${incident.title}`)
  if (incident.cause) console.log(incident.cause)
  if (escalation && incident.state === 'open') console.log(`Level ${escalation.level}, next look ${escalation.nextAt}`)
  for (const [role, person] of listRoles(store, incident.id)) console.log(`${role}: ${person}`)
  console.log('')
  for (const event of events) console.log(`  ${event.at}  ${event.kind.padEnd(22)}${event.message}  (${event.who})`)
  const evidence = evidenceLines(incident)
  if (evidence.length > 0) console.log(`\nEvidence\n${evidence.map((line) => `  ${line}`).join('\n')}`)
}
