import type { z } from 'zod'
import { opsRoutes, type OpsRouteName } from './ops-routes.ts'
import * as s from './ops-schemas.ts'
import { watchEndpoints } from './watch-endpoints.ts'

/**
 * The contract of operations, read by the ops process and by the console's client. `access` is the least an operator must be.
 */
export type OpsEndpoint = {
  summary: string
  access: 'public' | 'viewer' | 'operator' | 'administrator'
  params?: z.ZodType
  query?: z.ZodType
  body?: z.ZodType
  status: number
  response?: z.ZodType
}

const started = { status: 202, response: s.actionStarted } as const

export const opsEndpoints = {
  getOpsSession: {
    summary: 'Who is signed in, and whether the console still has to be set up',
    access: 'public',
    status: 200,
    response: s.opsSession,
  },
  signInOperator: {
    summary: 'Sign in a browser; sets the session cookie',
    access: 'public',
    body: s.operatorCredentials,
    status: 200,
    response: s.operator,
  },
  signOutOperator: { summary: 'End this session', access: 'viewer', status: 204 },
  setUpOps: {
    summary: 'Create the first administrator with the one-time link',
    access: 'public',
    body: s.opsSetUpBody,
    status: 201,
    response: s.operator,
  },
  listOpsTokens: { summary: 'My API tokens', access: 'viewer', status: 200, response: s.opsTokens },
  createOpsToken: {
    summary: 'Make an API token; send it as `Authorization: Token …`',
    access: 'viewer',
    body: s.opsTokenCreate,
    status: 201,
    response: s.opsTokenCreated,
  },
  revokeOpsToken: { summary: 'Revoke one of my API tokens', access: 'viewer', params: s.numberId, status: 204 },
  listOperators: { summary: 'Who may use the console', access: 'administrator', status: 200, response: s.operators },
  createOperator: {
    summary: 'Add an operator',
    access: 'administrator',
    body: s.operatorCreate,
    status: 201,
    response: s.operator,
  },
  updateOperator: {
    summary: 'Change role, name, e-mail, password or active state',
    access: 'administrator',
    params: s.numberId,
    body: s.operatorPatch,
    status: 200,
    response: s.operator,
  },

  getOverview: {
    summary: 'Every environment: release, health, deployment, incidents, ages of backup and drill',
    access: 'viewer',
    status: 200,
    response: s.overview,
  },
  listReleases: {
    summary: 'The ledger of releases, newest first',
    access: 'viewer',
    status: 200,
    response: s.releases,
  },
  getRelease: {
    summary: 'One release with what it brings',
    access: 'viewer',
    params: s.byDigest,
    status: 200,
    response: s.releaseDetail,
  },

  listDeployments: {
    summary: 'Deployments and rollbacks, newest first',
    access: 'viewer',
    query: s.recentQuery,
    status: 200,
    response: s.deployments,
  },
  getDeployment: {
    summary: "One deployment with its time line and the judge's looks",
    access: 'viewer',
    params: s.numberId,
    status: 200,
    response: s.deploymentDetail,
  },
  planDeployment: {
    summary: 'What a deployment would do, with every gate; changes nothing',
    access: 'viewer',
    params: s.byEnvironment,
    query: s.deployPlanQuery,
    status: 200,
    response: s.commandAnswer,
  },
  startDeployment: {
    summary: 'Deploy a release',
    access: 'operator',
    params: s.byEnvironment,
    body: s.deployBody,
    ...started,
  },
  planRollback: {
    summary: 'The ladder of ways back with predicted times and losses; changes nothing',
    access: 'viewer',
    params: s.byEnvironment,
    query: s.rollbackPlanQuery,
    status: 200,
    response: s.commandAnswer,
  },
  startRollback: {
    summary: 'Roll back',
    access: 'operator',
    params: s.byEnvironment,
    body: s.rollbackBody,
    ...started,
  },
  decideDeployment: {
    summary: 'Accept, extend or roll back a deployment that waits for a person',
    access: 'operator',
    params: s.numberId,
    body: s.decisionBody,
    ...started,
  },

  listGates: {
    summary: 'The seven gates of a release for an environment',
    access: 'viewer',
    params: s.byEnvironmentAndTag,
    status: 200,
    response: s.gates,
  },
  waiveGate: {
    summary: 'Waive a gate, as a second person, for some hours',
    access: 'operator',
    params: s.byEnvironmentAndTag,
    body: s.waiverBody,
    status: 200,
    response: s.commandAnswer,
  },
  reviewRelease: {
    summary: 'Attest, as somebody who wrote none of its commits, to have reviewed this artifact',
    access: 'operator',
    params: s.byDigest,
    body: s.optionalNote,
    status: 204,
  },
  getVerification: {
    summary: 'The checklists after a deployment as they stand now; changes nothing',
    access: 'viewer',
    params: s.byEnvironment,
    query: s.verificationQuery,
    status: 200,
    response: s.verification,
  },
  attest: {
    summary: 'Vouch for a line of these checklists that no machine can know',
    access: 'operator',
    params: s.byEnvironment,
    body: s.attestBody,
    status: 204,
  },

  listBackups: {
    summary: 'Backups, newest first',
    access: 'viewer',
    query: s.recentQuery,
    status: 200,
    response: s.backups,
  },
  startBackup: { summary: 'Back up now', access: 'operator', body: s.environmentBody, ...started },
  verifyBackup: {
    summary: 'Read a backup and compare its checksums',
    access: 'operator',
    params: s.byBackup,
    ...started,
  },
  planRestore: {
    summary: 'What a restore would do and lose; changes nothing',
    access: 'viewer',
    params: s.byBackup,
    query: s.byEnvironment,
    status: 200,
    response: s.restorePlan,
  },
  startRestore: {
    summary: 'Restore into a side database, verify, swap',
    access: 'administrator',
    params: s.byBackup,
    body: s.restoreBody,
    ...started,
  },
  listDrills: {
    summary: 'Restore drills, newest first',
    access: 'viewer',
    query: s.recentQuery,
    status: 200,
    response: s.drills,
  },
  startDrill: { summary: 'Run a restore drill now', access: 'operator', body: s.environmentBody, ...started },

  askJudge: {
    summary: 'For other engines: begin or go on judging a release by counts or by Prometheus',
    access: 'viewer',
    params: s.byAnalysis,
    body: s.judgeBody,
    status: 200,
    response: s.analysis,
  },
  getAnalysis: {
    summary: "The judge's last answer about a release of another engine",
    access: 'viewer',
    params: s.byAnalysis,
    status: 200,
    response: s.analysis,
  },
  forgetAnalysis: {
    summary: 'Let a release that was judged be judged anew',
    access: 'operator',
    params: s.byAnalysis,
    status: 204,
  },

  listIncidents: {
    summary: 'Incidents, newest first',
    access: 'viewer',
    query: s.incidentQuery,
    status: 200,
    response: s.incidents,
  },
  raiseIncident: {
    summary: 'Open an incident by hand; it climbs like any other',
    access: 'operator',
    body: s.incidentRaise,
    status: 201,
    response: s.incidentRaised,
  },
  getIncident: {
    summary: 'One incident with its evidence and time line',
    access: 'viewer',
    params: s.numberId,
    status: 200,
    response: s.incidentDetail,
  },
  acknowledgeIncident: {
    summary: 'Say that somebody works on it',
    access: 'operator',
    params: s.numberId,
    body: s.optionalNote,
    status: 204,
  },
  noteIncident: {
    summary: 'Add a note to the time line',
    access: 'operator',
    params: s.numberId,
    body: s.noteBody,
    status: 204,
  },
  snoozeIncident: {
    summary: 'Nobody is called for it for a while, a day at most',
    access: 'operator',
    params: s.numberId,
    body: s.snoozeBody,
    status: 204,
  },
  resolveIncident: { summary: 'Close it', access: 'operator', params: s.numberId, body: s.noteBody, status: 204 },

  diagnose: {
    summary: 'Look at everything that bears on one of the five common issues; only reads, and is kept',
    access: 'operator',
    params: s.byEnvironment,
    body: s.diagnoseBody,
    status: 200,
    response: s.diagnosis,
  },
  getTuning: {
    summary: 'The chapter Performance Tuning, line by line, with figures and bounds',
    access: 'viewer',
    params: s.byEnvironment,
    status: 200,
    response: s.tuning,
  },

  receiveAlerts: {
    summary: 'Alerts of a Prometheus Alertmanager (webhook, version 4); answered when they are committed',
    access: 'operator',
    body: s.alertmanagerWebhook,
    status: 200,
    response: s.alertsReceived,
  },

  listMaintenance: {
    summary: 'Windows under way, coming and past',
    access: 'viewer',
    status: 200,
    response: s.maintenanceWindows,
  },
  getMaintenanceWindow: {
    summary: 'One window with its notices, checklist, time line, point of no return and report',
    access: 'viewer',
    params: s.numberId,
    status: 200,
    response: s.maintenanceDetail,
  },
  planMaintenance: {
    summary: 'Plan a window; users are told at once',
    access: 'operator',
    body: s.maintenancePlan,
    status: 201,
    response: s.maintenanceWindow,
  },
  moveMaintenance: {
    summary: 'Give a coming window other times; whoever was told is told',
    access: 'operator',
    params: s.numberId,
    body: s.maintenanceTimes,
    status: 200,
    response: s.maintenanceWindow,
  },
  cancelMaintenance: {
    summary: 'Call a coming window off; whoever was told is told',
    access: 'operator',
    params: s.numberId,
    body: s.maintenanceReason,
    status: 204,
  },
  attestMaintenance: {
    summary: 'Vouch for a line of the checklist that no machine can know',
    access: 'operator',
    params: s.numberId,
    body: s.maintenanceAttestation,
    status: 204,
  },
  startMaintenance: {
    summary: 'Begin maintenance: backup, checklist, then read-only or full',
    access: 'operator',
    params: s.numberId,
    body: s.maintenanceStart,
    ...started,
  },
  endMaintenance: { summary: 'End maintenance', access: 'operator', params: s.numberId, ...started },
  getMaintenanceCalendar: {
    summary: 'Windows as an iCalendar feed',
    access: 'public',
    status: 200,
  },

  ...watchEndpoints,

  listActions: {
    summary: 'Commands started from the console, newest first',
    access: 'viewer',
    status: 200,
    response: s.actions,
  },
  getAction: {
    summary: 'One of them with the end of its output',
    access: 'viewer',
    params: s.numberId,
    status: 200,
    response: s.action,
  },
  listAudit: {
    summary: 'Who did what, newest first',
    access: 'viewer',
    query: s.auditQuery,
    status: 200,
    response: s.audit,
  },
  streamOpsChanges: {
    summary: 'Server-sent events: `change` whenever the store has changed',
    access: 'viewer',
    status: 200,
  },
} as const satisfies Record<OpsRouteName, OpsEndpoint>

export type OpsEndpoints = typeof opsEndpoints
export { opsRoutes }
