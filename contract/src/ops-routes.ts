import type { Method } from './routes.ts'
import { watchRoutes } from './watch-routes.ts'

/** Method and path of every endpoint of operations under `/api/ops/v1`. Free of schemas, so that the browser can import it for nothing. */
export const opsRoutes = {
  getOpsSession: { method: 'GET', path: '/session/' },
  signInOperator: { method: 'POST', path: '/session/' },
  signOutOperator: { method: 'DELETE', path: '/session/' },
  setUpOps: { method: 'POST', path: '/setup/' },
  listOpsTokens: { method: 'GET', path: '/tokens/' },
  createOpsToken: { method: 'POST', path: '/tokens/' },
  revokeOpsToken: { method: 'DELETE', path: '/tokens/{id}/' },
  listOperators: { method: 'GET', path: '/operators/' },
  createOperator: { method: 'POST', path: '/operators/' },
  updateOperator: { method: 'PATCH', path: '/operators/{id}/' },

  getOverview: { method: 'GET', path: '/overview/' },
  listReleases: { method: 'GET', path: '/releases/' },
  getRelease: { method: 'GET', path: '/releases/{digest}/' },

  listDeployments: { method: 'GET', path: '/deployments/' },
  getDeployment: { method: 'GET', path: '/deployments/{id}/' },
  planDeployment: { method: 'GET', path: '/environments/{environment}/deploy-plan/' },
  startDeployment: { method: 'POST', path: '/environments/{environment}/deploy/' },
  planRollback: { method: 'GET', path: '/environments/{environment}/rollback-plan/' },
  startRollback: { method: 'POST', path: '/environments/{environment}/rollback/' },
  decideDeployment: { method: 'POST', path: '/deployments/{id}/decision/' },

  listGates: { method: 'GET', path: '/environments/{environment}/gates/{tag}/' },
  waiveGate: { method: 'POST', path: '/environments/{environment}/gates/{tag}/waivers/' },
  reviewRelease: { method: 'POST', path: '/releases/{digest}/review/' },
  getVerification: { method: 'GET', path: '/environments/{environment}/verification/' },
  attest: { method: 'POST', path: '/environments/{environment}/attestations/' },

  listBackups: { method: 'GET', path: '/backups/' },
  startBackup: { method: 'POST', path: '/backups/' },
  verifyBackup: { method: 'POST', path: '/backups/{id}/verify/' },
  planRestore: { method: 'GET', path: '/backups/{id}/restore-plan/' },
  startRestore: { method: 'POST', path: '/backups/{id}/restore/' },
  listDrills: { method: 'GET', path: '/drills/' },
  startDrill: { method: 'POST', path: '/drills/' },

  askJudge: { method: 'POST', path: '/judge/{analysis}/' },
  getAnalysis: { method: 'GET', path: '/judge/{analysis}/' },
  forgetAnalysis: { method: 'DELETE', path: '/judge/{analysis}/' },

  listIncidents: { method: 'GET', path: '/incidents/' },
  raiseIncident: { method: 'POST', path: '/incidents/' },
  getIncident: { method: 'GET', path: '/incidents/{id}/' },
  acknowledgeIncident: { method: 'POST', path: '/incidents/{id}/acknowledge/' },
  noteIncident: { method: 'POST', path: '/incidents/{id}/notes/' },
  snoozeIncident: { method: 'POST', path: '/incidents/{id}/snooze/' },
  resolveIncident: { method: 'POST', path: '/incidents/{id}/resolve/' },

  diagnose: { method: 'POST', path: '/environments/{environment}/diagnoses/' },
  getTuning: { method: 'GET', path: '/environments/{environment}/tuning/' },

  receiveAlerts: { method: 'POST', path: '/inbound/alertmanager/' },

  listMaintenance: { method: 'GET', path: '/maintenance/' },
  getMaintenanceWindow: { method: 'GET', path: '/maintenance/{id}/' },
  planMaintenance: { method: 'POST', path: '/maintenance/' },
  moveMaintenance: { method: 'PATCH', path: '/maintenance/{id}/' },
  cancelMaintenance: { method: 'POST', path: '/maintenance/{id}/cancel/' },
  attestMaintenance: { method: 'POST', path: '/maintenance/{id}/attestations/' },
  startMaintenance: { method: 'POST', path: '/maintenance/{id}/start/' },
  endMaintenance: { method: 'POST', path: '/maintenance/{id}/end/' },
  getMaintenanceCalendar: { method: 'GET', path: '/maintenance-calendar.ics' },

  ...watchRoutes,

  listActions: { method: 'GET', path: '/actions/' },
  getAction: { method: 'GET', path: '/actions/{id}/' },
  listAudit: { method: 'GET', path: '/audit/' },
  streamOpsChanges: { method: 'GET', path: '/changes/' },
} as const satisfies Record<string, { method: Method; path: string }>

export type OpsRouteName = keyof typeof opsRoutes

export const opsApiBase = '/api/ops/v1'
