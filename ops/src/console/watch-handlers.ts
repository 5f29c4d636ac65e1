import { Problem } from '@dam/contract'
import type { watchRoutes } from '@dam/contract/watch-routes'
import { addSilence, endSilence } from '../alerts/alert-store.ts'
import { recordAudit } from '../audit/audit.ts'
import type { Environment } from '../environments/environment.ts'
import { addIncidentEvent, findIncident, setSeverity, withdrawAcknowledgement } from '../incidents/incident-store.ts'
import type { Incident } from '../incidents/incident.ts'
import { createFeed } from '../oncall/calendar-feed.ts'
import { addHandoffNote, addOverride, cancelOverride, swapPeople } from '../oncall/oncall-store.ts'
import type { Policy } from '../policy/policy.ts'
import { readRunbook } from '../runbook/runbook.ts'
import type { BucketReader } from '../signals/read-buckets.ts'
import { addPublicUpdate, findPublicIncident } from '../status-page/public-update-store.ts'
import { tellSubscribers } from '../status-page/tell-subscribers.ts'
import type { Store } from '../store.ts'
import type { Handlers } from './handler.ts'
import { readAlerts } from './views/alert-view.ts'
import { readIncidentCalls } from './views/incident-calls.ts'
import { readOnCall } from './views/oncall-view.ts'
import { readKeyMetrics, readSignals, type SignalSource } from './views/signal-view.ts'

export type WatchRoutes = keyof typeof watchRoutes

export type WatchDeps = {
  store: Store
  policy: () => Policy
  policyHash: () => string | null
  environments: () => readonly Environment[]
  publicEnvironments: () => readonly string[]
  windows: SignalSource['windows']
  buckets: BucketReader
  /** Which of the policy's channels can send; null: can, else what is missing. */
  channelState: (address: string) => string | null
  /** Of the ops process as people reach it. */
  baseUrl: string
}

const minuteMs = 60_000
const usualWeeks = 8

/** Signals, alerts, on call, the runbook, and what the public is told of incidents. */
export function watchHandlers(deps: WatchDeps): Pick<Handlers, WatchRoutes> {
  const { store, policy } = deps
  const names = (): string[] => deps.environments().map(({ name }) => name)
  const known = (name: string): string => {
    if (names().includes(name)) return name
    throw new Problem('not-found', `There is no environment ${name}. There is: ${names().join(', ')}.`)
  }
  const person = (id: string | undefined, field: string): string => {
    const people = policy().people.map((one) => one.id)
    if (id !== undefined && people.includes(id)) return id
    const message = `Choose somebody of the policy: ${people.join(', ') || 'nobody is entered yet'}.`
    throw new Problem('validation-failed', message, { fields: { [field]: [message] } })
  }
  const incidentOf = (id: number): Incident => {
    const incident = findIncident(store, id)
    if (!incident) throw new Problem('not-found', 'There is no such incident.')
    return incident
  }
  /** What these functions throw is written for people. */
  const possible = <T>(deed: () => T): T => {
    try {
      return deed()
    } catch (error) {
      throw new Problem('not-possible-now', error instanceof Error ? error.message : String(error))
    }
  }
  const source = (): SignalSource => ({ store, policy: policy(), buckets: deps.buckets, windows: deps.windows })

  return {
    getKeyMetrics: async (_, { now }) => ({
      at: now.toISOString(),
      environments: await Promise.all(
        names().map(async (environment) => ({
          environment,
          metrics: await readKeyMetrics(source(), environment, now),
        })),
      ),
    }),
    getSignals: ({ params, query }, { now }) =>
      readSignals(source(), known(params.environment), query.range ?? '1h', now),
    listAlerts: ({ query }, { now }) =>
      readAlerts(store, policy(), query.environment === undefined ? names() : [known(query.environment)], now),
    addSilence: ({ body }, { principal, now }) => {
      if (body.environment !== '*') known(body.environment)
      if (body.rule !== '*' && !policy().alerts.some(({ name }) => name === body.rule))
        throw new Problem('not-found', `The policy has no alert ${body.rule}.`)
      return store.transaction(() => {
        const until = new Date(now.getTime() + body.minutes * minuteMs)
        const { environment, rule, reason } = body
        const id = possible(() =>
          addSilence(store, { environment, rule, reason, from: now, until, by: principal.username, now }),
        )
        recordAudit(store, {
          who: principal.username,
          action: 'alert.silenced',
          subject: `${environment}/${rule}`,
          detail: { until: until.toISOString(), reason },
          now,
        })
        return { id }
      })
    },
    endSilence: ({ params }, { principal, now }) =>
      store.transaction(() => {
        if (!endSilence(store, params.id, now)) throw new Problem('not-possible-now', 'This silence is over already.')
        recordAudit(store, {
          who: principal.username,
          action: 'alert.unsilenced',
          subject: `silence:${params.id}`,
          now,
        })
        return undefined
      }),

    getOnCall: ({ query }, { principal, now }) =>
      readOnCall(store, policy(), { weeks: query.weeks ?? usualWeeks, username: principal.username, now }),
    addOnCallException: ({ body }, { principal, now }) => {
      const comes = body.kind === 'remove' ? null : person(body.person, 'person')
      const goes = body.kind === 'add' ? null : person(body.other, 'other')
      const stretch = { from: body.from === undefined ? now : new Date(body.from), until: new Date(body.until) }
      return store.transaction(() => {
        const { kind, note = '' } = body
        possible(() =>
          addOverride(store, { kind, person: comes, other: goes, ...stretch, note, by: principal.username, now }),
        )
        recordAudit(store, {
          who: principal.username,
          action: `oncall.${kind}`,
          detail: { person: comes, other: goes, from: stretch.from.toISOString(), until: body.until, note },
          now,
        })
        return undefined
      })
    },
    swapOnCall: ({ body }, { principal, now }) => {
      const people = { one: person(body.one, 'one'), other: person(body.other, 'other') }
      if (people.one === people.other) throw new Problem('not-possible-now', 'Choose two different people.')
      const stretch = { from: body.from === undefined ? now : new Date(body.from), until: new Date(body.until) }
      return store.transaction(() => {
        possible(() => swapPeople(store, { ...people, ...stretch, by: principal.username, now }))
        recordAudit(store, {
          who: principal.username,
          action: 'oncall.swap',
          detail: { ...people, from: stretch.from.toISOString(), until: body.until },
          now,
        })
        return undefined
      })
    },
    cancelOnCallException: ({ params }, { principal, now }) =>
      store.transaction(() => {
        if (!cancelOverride(store, params.id, now))
          throw new Problem('not-possible-now', 'This exception is over already, or does not exist.')
        recordAudit(store, { who: principal.username, action: 'oncall.cancel', subject: `exception:${params.id}`, now })
        return undefined
      }),
    addHandoffNote: ({ body }, { principal, now }) =>
      store.transaction(() => {
        addHandoffNote(store, { by: principal.username, text: body.text, now })
        recordAudit(store, { who: principal.username, action: 'oncall.note', now })
        return undefined
      }),
    makeCalendarFeed: ({ body }, { principal, now }) => {
      const whose = body.person === undefined ? null : person(body.person, 'person')
      return store.transaction(() => {
        const token = createFeed(store, { operatorId: principal.id, person: whose, now })
        recordAudit(store, { who: principal.username, action: 'oncall.feed', subject: whose ?? 'everybody', now })
        return { url: `${deps.baseUrl}/api/ops/v1/oncall.ics?token=${token}` }
      })
    },

    getIncidentCalls: ({ params }) =>
      readIncidentCalls(store, policy(), incidentOf(params.id), deps.publicEnvironments()),
    setIncidentSeverity: ({ params, body }, { principal, now }) =>
      store.transaction(() => {
        const incident = incidentOf(params.id)
        const { severity, reason } = body
        if (!setSeverity(store, incident.id, { severity, who: principal.username, now }))
          throw new Problem('not-possible-now', `It is resolved, or ${severity} already.`)
        addIncidentEvent(store, incident.id, { kind: 'note', who: principal.username, message: reason, now })
        recordAudit(store, {
          who: principal.username,
          action: 'incident.severity',
          subject: `incident:${incident.id}`,
          detail: { from: incident.severity, to: severity, reason },
          now,
        })
        return undefined
      }),
    withdrawAcknowledgement: ({ params }, { principal, now }) =>
      store.transaction(() => {
        const { id } = incidentOf(params.id)
        if (!withdrawAcknowledgement(store, id, { who: principal.username, now }))
          throw new Problem('not-possible-now', 'Nobody has acknowledged it.')
        recordAudit(store, { who: principal.username, action: 'incident.withdrawn', subject: `incident:${id}`, now })
        return undefined
      }),
    updateIncidentPublicly: ({ params, body }, { principal, now }) => {
      const incident = incidentOf(params.id)
      if (!deps.publicEnvironments().includes(incident.environment))
        throw new Problem('not-possible-now', `The public status page does not show ${incident.environment}.`)
      return store.transaction(() => {
        const title = body.title ?? findPublicIncident(store, incident.id)?.title
        if (title === undefined) {
          const message = 'Give it a name that the public understands.'
          throw new Problem('validation-failed', message, { fields: { title: [message] } })
        }
        const { state, text } = body
        const id = addPublicUpdate(store, {
          incidentId: incident.id,
          title: body.title,
          state,
          text,
          by: principal.username,
          now,
        })
        tellSubscribers(
          store,
          { id, incidentId: incident.id, title, state, text },
          { name: policy().service.name, baseUrl: deps.baseUrl, now },
        )
        recordAudit(store, {
          who: principal.username,
          action: 'incident.told-public',
          subject: `incident:${incident.id}`,
          detail: { state, text },
          now,
        })
        return undefined
      })
    },
    getRunbook: () => ({
      hash: deps.policyHash(),
      chapters: readRunbook({ policy: policy(), channelState: deps.channelState }),
    }),
  }
}
