import { numberId, byEnvironment } from './ops-schemas.ts'
import * as s from './watch-schemas.ts'

/** Contract of the watch; part of `opsEndpoints`. */
export const watchEndpoints = {
  getKeyMetrics: {
    summary: 'Key metrics of every environment against the targets of the policy',
    access: 'viewer',
    status: 200,
    response: s.keyMetrics,
  },
  getSignals: {
    summary: 'Signals over time, at most about 400 points each, with limits, deployments and maintenance',
    access: 'viewer',
    params: byEnvironment,
    query: s.signalsQuery,
    status: 200,
    response: s.signals,
  },
  listAlerts: {
    summary: 'Every alert rule with its state, the silences, and the last changes',
    access: 'viewer',
    query: s.alertsQuery,
    status: 200,
    response: s.alerts,
  },
  addSilence: {
    summary: 'Silence a rule for a while',
    access: 'operator',
    body: s.silenceBody,
    status: 201,
    response: s.silenceAdded,
  },
  endSilence: { summary: 'End a silence now', access: 'operator', params: numberId, status: 204 },

  getOnCall: {
    summary: 'Who is on call, the coming weeks, exceptions, gaps and hand-off notes',
    access: 'viewer',
    query: s.onCallQuery,
    status: 200,
    response: s.onCall,
  },
  addOnCallException: {
    summary: 'Replace, remove or add a person for a while',
    access: 'operator',
    body: s.exceptionBody,
    status: 204,
  },
  swapOnCall: {
    summary: 'Two people take each other’s place for a while',
    access: 'operator',
    body: s.swapBody,
    status: 204,
  },
  cancelOnCallException: { summary: 'End an exception now', access: 'operator', params: numberId, status: 204 },
  addHandoffNote: {
    summary: 'Leave a note for whoever comes next',
    access: 'operator',
    body: s.handoffBody,
    status: 204,
  },
  makeCalendarFeed: {
    summary: 'Make an address with a token for calendars; my earlier one ends',
    access: 'viewer',
    body: s.feedBody,
    status: 201,
    response: s.feed,
  },

  getIncidentCalls: {
    summary: 'Who is called for an incident and when, what was delivered, and what the public was told',
    access: 'viewer',
    params: numberId,
    status: 200,
    response: s.incidentCalls,
  },
  setIncidentSeverity: {
    summary: 'Give an incident another severity; one that rises calls again',
    access: 'operator',
    params: numberId,
    body: s.severityBody,
    status: 204,
  },
  withdrawAcknowledgement: {
    summary: 'Give an incident back; it calls again from the first level',
    access: 'operator',
    params: numberId,
    status: 204,
  },
  updateIncidentPublicly: {
    summary: 'Tell the public about an incident: status page, feed, subscribers',
    access: 'operator',
    params: numberId,
    body: s.publicUpdateBody,
    status: 204,
  },
  getRunbook: {
    summary: 'The runbook as the policy and the commands have it',
    access: 'viewer',
    status: 200,
    response: s.runbook,
  },
} as const
