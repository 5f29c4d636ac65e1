/** How long evidence is good for, and what a waiver must be. The policy file supplies it; these are its defaults. */
export type GatePolicy = {
  testsHours: number
  securityDays: number
  performanceDays: number
  backupMinutes: number
  /** What the runbook promises for a rollback. */
  rollbackMinutes: number
  waiverDays: number
  waiverReasonLength: number
  /** After it, a reviewed exception to an advisory has to be looked at again. */
  advisoryReviewDays: number
}

export const defaultGatePolicy: GatePolicy = {
  testsHours: 24,
  securityDays: 7,
  performanceDays: 7,
  backupMinutes: 60,
  rollbackMinutes: 15,
  waiverDays: 7,
  waiverReasonLength: 20,
  advisoryReviewDays: 30,
}

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs
