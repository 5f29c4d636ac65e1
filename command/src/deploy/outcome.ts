import type { Deployment } from '@dam/ops/src/deployments/deployment.ts'
import { listOutbox } from '@dam/ops/src/notify/outbox-store.ts'
import type { Store } from '@dam/ops/src/store.ts'

/** What a deployment came to, for a person. */
export function outcomeText(store: Store, deployment: Deployment): string {
  const { kind, tag, environment, state, because, previousTag, data } = deployment
  switch (state) {
    case 'good':
      return `\n${environment} serves ${tag}: ${because}`
    case 'failed':
      return `\n${kind === 'deploy' ? `${tag} was not deployed` : `${environment} did not go back to ${tag}`}; users saw nothing of it.\n${because}`
    case 'verified':
    case 'frozen': {
      const back = kind === 'rollback' ? tag : (previousTag ?? 'the maintenance page')
      const frozen =
        state === 'frozen'
          ? `\n${environment} is frozen. When it is understood: ./dam deploy --unfreeze ${environment} --reason "…"`
          : ''
      return `\n${environment} is back on ${back}: ${data.rollback?.because ?? because}\n${stampsText(store, deployment)}${frozen}`
    }
    case 'waiting-for-person':
      return `\n${tag} serves ${environment}, but nothing says that it is good: ${because}\n  ./dam deploy --accept ${environment} --reason "…"   keep it\n  ./dam deploy --extend ${environment} --reason "…"   watch it for as long again\n  ./dam rollback ${environment}                       go back`
    default:
      return `\nDeployment ${deployment.id} is ${state}. Go on with ./dam deploy --resume ${environment}`
  }
}

/** The promise of 15 minutes, stamp by stamp. */
function stampsText(store: Store, { id, data }: Deployment): string {
  const { detectedAt, decidedAt, restoredAt, verifiedAt } = data.stamps ?? {}
  const sent = listOutbox(store, { subject: `deployment:${id}`, limit: 50 })
    .filter(({ message, sentAt }) => message.event === 'deployment-rolled-back' && sentAt !== null)
    .map(({ sentAt }) => sentAt ?? '')
    .toSorted()[0]
  const start = Date.parse(detectedAt ?? decidedAt ?? '')
  const rows: [string, string | undefined][] = [
    ['detected', detectedAt],
    ['decided', decidedAt],
    ['traffic restored', restoredAt],
    ['verified', verifiedAt],
    ['notified', sent ?? data.stamps?.notifiedAt],
  ]
  return rows
    .map(
      ([name, at]) =>
        `  ${name.padEnd(17)} ${at === undefined ? 'not yet' : `+${((Date.parse(at) - start) / 1000).toFixed(1)} s`.padStart(10)}`,
    )
    .join('\n')
}

export const exitCodeOf = ({ state, kind }: Deployment): number =>
  state === 'good' || (kind === 'rollback' && state === 'verified')
    ? 0
    : state === 'waiting-for-person'
      ? 3
      : state === 'failed'
        ? 1
        : 2
