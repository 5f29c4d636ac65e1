import type { z } from 'zod'
import type { OpsEndpoints } from './ops-endpoints.ts'
import type * as s from './ops-schemas.ts'
import type * as w from './watch-schemas.ts'

export type OperatorRole = z.output<typeof s.operatorRole>
export type OperatorView = z.output<typeof s.operator>
export type OpsSession = z.output<typeof s.opsSession>
export type Overview = z.output<typeof s.overview>
export type EnvironmentOverview = z.output<typeof s.environmentOverview>
export type Probe = z.output<typeof s.probe>
export type ReleaseView = z.output<typeof s.release>
export type ReleaseDetail = z.output<typeof s.releaseDetail>
export type DeploymentSummary = z.output<typeof s.deploymentSummary>
export type DeploymentDetail = z.output<typeof s.deploymentDetail>
export type DeploymentEventView = z.output<typeof s.deploymentEvent>
export type CommandAnswer = z.output<typeof s.commandAnswer>
export type GateView = z.output<typeof s.gateStatus>
export type JudgeTrace = z.output<typeof s.judgeTrace>
export type RestorePlan = z.output<typeof s.restorePlan>
export type BackupView = z.output<typeof s.backup>
export type DrillView = z.output<typeof s.drill>
export type IncidentSummary = z.output<typeof s.incidentSummary>
export type IncidentDetail = z.output<typeof s.incidentDetail>
export type AlertmanagerWebhook = z.output<typeof s.alertmanagerWebhook>
export type AlertsReceived = z.output<typeof s.alertsReceived>
export type MaintenanceWindowView = z.output<typeof s.maintenanceWindow>
export type MaintenanceDetail = z.output<typeof s.maintenanceDetail>
export type SignalsView = z.output<typeof w.signals>
export type SignalSeries = z.output<typeof w.signalSeries>
export type SignalMark = z.output<typeof w.signalMark>
export type SignalUnit = z.output<typeof w.signalUnit>
export type KeyMetric = z.output<typeof w.keyMetric>
export type AlertView = z.output<typeof w.alert>
export type AlertsView = z.output<typeof w.alerts>
export type SilenceView = z.output<typeof w.silence>
export type OnCallView = z.output<typeof w.onCall>
export type IncidentCalls = z.output<typeof w.incidentCalls>
export type RunbookView = z.output<typeof w.runbook>
export type RunbookEntry = z.output<typeof w.runbookEntry>
export type Verification = z.output<typeof s.verification>
export type ChecklistLine = z.output<typeof s.checklistLine>
export type DiagnosisView = z.output<typeof s.diagnosis>
export type TuningView = z.output<typeof s.tuning>
export type OpsTokenView = z.output<typeof s.opsToken>
export type ActionView = z.output<typeof s.action>

type Part<N extends keyof OpsEndpoints, K extends string, D> = OpsEndpoints[N] extends {
  [P in K]: infer S extends z.ZodType
}
  ? S
  : D

export type OpsRequestOf<N extends keyof OpsEndpoints> = {
  [K in 'params' | 'query' | 'body' as Part<N, K, never> extends never ? never : K]: z.input<Part<N, K, z.ZodType>>
}
export type OpsParsedRequest<N extends keyof OpsEndpoints> = {
  [K in 'params' | 'query' | 'body' as Part<N, K, never> extends never ? never : K]: z.output<Part<N, K, z.ZodType>>
}
export type OpsResponseOf<N extends keyof OpsEndpoints> =
  Part<N, 'response', never> extends never ? undefined : z.output<Part<N, 'response', z.ZodType>>
