import type { Method } from './routes.ts'

/** What shows and steers the watch: signals, alerts, on call, the runbook and what the public is told. */
export const watchRoutes = {
  getKeyMetrics: { method: 'GET', path: '/key-metrics/' },
  getSignals: { method: 'GET', path: '/environments/{environment}/signals/' },
  listAlerts: { method: 'GET', path: '/alerts/' },
  addSilence: { method: 'POST', path: '/silences/' },
  endSilence: { method: 'DELETE', path: '/silences/{id}/' },

  getOnCall: { method: 'GET', path: '/oncall/' },
  addOnCallException: { method: 'POST', path: '/oncall/exceptions/' },
  swapOnCall: { method: 'POST', path: '/oncall/swaps/' },
  cancelOnCallException: { method: 'DELETE', path: '/oncall/exceptions/{id}/' },
  addHandoffNote: { method: 'POST', path: '/oncall/notes/' },
  makeCalendarFeed: { method: 'POST', path: '/oncall/feeds/' },

  getIncidentCalls: { method: 'GET', path: '/incidents/{id}/calls/' },
  setIncidentSeverity: { method: 'POST', path: '/incidents/{id}/severity/' },
  withdrawAcknowledgement: { method: 'POST', path: '/incidents/{id}/withdraw/' },
  updateIncidentPublicly: { method: 'POST', path: '/incidents/{id}/public-updates/' },
  getRunbook: { method: 'GET', path: '/runbook/' },
} as const satisfies Record<string, { method: Method; path: string }>
