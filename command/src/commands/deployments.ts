import { parseArgs } from 'node:util'
import { findDeployment, listDeploymentEvents, listDeployments } from '@dam/ops/src/deployments/deployment-store.ts'
import type { DeploymentEvent } from '@dam/ops/src/deployments/deployment.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { CommandFailure } from '../failure.ts'
import { operationsPlace } from '../operations.ts'

export const help = `
Usage: ./dam deployments [<number>] [--environment <name>] [--json] [--host <folder>]

Deployments and rollbacks, newest first; ./dam deployments 12 shows the time line of one.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      environment: { type: 'string' },
      json: { type: 'boolean' },
      host: { type: 'string' },
      limit: { type: 'string', default: '20' },
    },
  })
  using store = openStore(operationsPlace(values.host).opsDir)
  const [number] = positionals
  if (number !== undefined) {
    const deployment = findDeployment(store, Number(number))
    if (!deployment) throw new CommandFailure(`There is no deployment ${number}. ./dam deployments lists them.`)
    const events = listDeploymentEvents(store, deployment.id)
    if (values.json) console.log(JSON.stringify({ ...deployment, events }, null, 2))
    else {
      console.log(
        `${deployment.kind} ${deployment.id}: ${deployment.previousTag ?? 'nothing'} → ${deployment.tag} on ${deployment.environment}, ${deployment.state}`,
      )
      for (const { at, step, status, message } of timeLine(events)) {
        console.log(
          `  ${at.slice(0, 19).replace('T', ' ')}  ${status.padEnd(8)}${step.padEnd(20)} ${message.split('\n')[0] ?? ''}`,
        )
      }
    }
    return 0
  }
  const deployments = listDeployments(store, {
    environment: values.environment ?? '',
    limit: Number(values.limit) || 20,
  })
  if (values.json) console.log(JSON.stringify(deployments, null, 2))
  else if (deployments.length === 0) console.log('Nothing was deployed yet: ./dam deploy staging v1.0.0')
  for (const { id, kind, environment, tag, previousTag, state, requestedAt, requestedBy, because } of values.json
    ? []
    : deployments) {
    console.log(
      `${String(id).padStart(4)}  ${requestedAt.slice(0, 16).replace('T', ' ')}  ${environment.padEnd(11)} ${kind.padEnd(9)} ${`${previousTag ?? '–'} → ${tag}`.padEnd(22)} ${state.padEnd(19)} ${requestedBy}  ${because.split('\n')[0] ?? ''}`,
    )
  }
  return 0
}

/** Without what only began, and of the judge's looks only those that say another thing than the one before. */
function timeLine(events: readonly DeploymentEvent[]): DeploymentEvent[] {
  let last: string | undefined
  return events.filter(({ status, message, detail }) => {
    if (detail['look'] === undefined) return status !== 'started'
    const verdict = message.split(':')[0]
    const isNews = verdict !== last
    last = verdict
    return isNews
  })
}
