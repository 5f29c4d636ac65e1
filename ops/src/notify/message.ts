export type Severity = 'P0' | 'P1' | 'P2' | 'P3'

/** What is told, in words every channel can render; a channel decides how. Text is plain and comes from outside: channels escape it. */
export type Message = {
  /** Such as `incident-opened`, `deployment-started`, `deployment-rolled-back`, `maintenance-notice`. */
  event: string
  /** Such as `incident:4`; messages of one subject update one card or page where the channel can. */
  subject: string
  severity: Severity | null
  title: string
  text: string
  facts: { label: string; value: string }[]
  links: { label: string; url: string }[]
  environment: string | null
  /** People to call by name where a channel can: Slack member ids. */
  mentions?: string[]
  /** Where who gets it by their own wish can end that. */
  unsubscribeUrl?: string
  /** True when this ends what an earlier message of the subject announced. */
  isResolution: boolean
  at: string
}
