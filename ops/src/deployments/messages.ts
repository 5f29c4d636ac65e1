import type { Message, Severity } from '../notify/message.ts'
import type { Deployment } from './deployment.ts'

type Told = { title: string; text: string; severity?: Severity; facts?: Message['facts']; isResolution?: boolean }

const messageOf = (deployment: Deployment, event: string, told: Told, now: Date): Message => ({
  event,
  subject: `deployment:${deployment.id}`,
  severity: told.severity ?? null,
  title: told.title,
  text: told.text,
  facts: [
    { label: 'Environment', value: deployment.environment },
    { label: 'Release', value: deployment.tag },
    { label: 'Before', value: deployment.previousTag ?? 'none' },
    { label: 'By', value: deployment.requestedBy },
    ...(told.facts ?? []),
  ],
  links: [],
  environment: deployment.environment,
  isResolution: told.isResolution ?? false,
  at: now.toISOString(),
})

const way = ({ tag, previousTag }: Deployment): string => (previousTag ? `${previousTag} → ${tag}` : tag)

export const startedMessage = (deployment: Deployment, now: Date): Message =>
  messageOf(
    deployment,
    'deployment-started',
    { title: `Deployment of ${deployment.tag} to ${deployment.environment} started`, text: way(deployment) },
    now,
  )

export const succeededMessage = (deployment: Deployment, now: Date): Message =>
  messageOf(
    deployment,
    'deployment-succeeded',
    { title: `${deployment.tag} is live on ${deployment.environment}`, text: deployment.because, isResolution: true },
    now,
  )

export const failedMessage = (deployment: Deployment, because: string, now: Date): Message =>
  messageOf(
    deployment,
    'deployment-failed',
    {
      title: `Deployment of ${deployment.tag} to ${deployment.environment} failed; users saw nothing of it`,
      text: because,
      severity: 'P3',
      isResolution: true,
    },
    now,
  )

export const rolledBackMessage = (deployment: Deployment, now: Date): Message =>
  messageOf(
    deployment,
    'deployment-rolled-back',
    {
      title: `${deployment.environment} was rolled back to ${deployment.kind === 'rollback' ? deployment.tag : (deployment.previousTag ?? 'the maintenance page')}`,
      text: deployment.data.rollback?.because ?? deployment.because,
      severity: 'P1',
      facts: [{ label: 'Trigger', value: deployment.data.rollback?.trigger ?? 'person' }],
      isResolution: true,
    },
    now,
  )

export const waitingMessage = (deployment: Deployment, because: string, now: Date): Message =>
  messageOf(
    deployment,
    'deployment-waiting',
    {
      title: `${deployment.tag} on ${deployment.environment} waits for a person`,
      text: `${because}. ./dam deploy --accept ${deployment.environment} --reason "…" keeps it, ./dam rollback ${deployment.environment} does not.`,
      severity: 'P2',
    },
    now,
  )
