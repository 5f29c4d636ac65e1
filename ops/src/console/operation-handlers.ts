import { Problem } from '@dam/contract'
import { findAction, listActions } from '../actions/action-store.ts'
import { presentAction, settleActions, type CommandRunner } from '../actions/run-command.ts'
import { listAudit, recordAudit } from '../audit/audit.ts'
import type { Environment } from '../environments/environment.ts'
import { snoozeIncident } from '../escalation/escalation-store.ts'
import {
  acknowledgeIncident,
  addIncidentEvent,
  findIncident,
  listIncidentEvents,
  listIncidents,
  openIncident,
  resolveIncident,
} from '../incidents/incident-store.ts'
import type { Incident } from '../incidents/incident.ts'
import { hourMs } from '../gates/gate-policy.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { findReleaseByDigest, resolveRelease } from '../releases/release-store.ts'
import { authenticate, credentialOf } from '../people/authenticate.ts'
import type { Store } from '../store.ts'
import type { Handlers } from './handler.ts'
import type { InspectionRoutes } from './inspection-handlers.ts'
import type { JudgeRoutes } from './judge-handlers.ts'
import type { Probes } from './probe-environments.ts'
import type { MaintenanceRoute } from './maintenance-handlers.ts'
import { streamChanges, type Streams } from './stream-changes.ts'
import { findBackupEnvironment, listBackups, listDrills, planRestore } from './views/backup-view.ts'
import { findDeployment, listDeployments } from './views/deployment-view.ts'
import { presentIncident, readOverview } from './views/overview.ts'
import { describeRelease, listReleases } from './views/release-view.ts'
import { readGates } from './views/gate-view.ts'
import { receiveAlerts } from '../alerts/receive-alerts.ts'
import type { Changes } from './watch-changes.ts'
import type { WatchRoutes } from './watch-handlers.ts'

export type OperationDeps = {
  store: Store
  environments: () => readonly Environment[]
  probes: Probes
  changes: Changes
  streams: Streams
  commands: CommandRunner
  cookieName: string
  hostDir: string | undefined
  checkout: string
  now: () => Date
}

type Routes = Exclude<
  keyof Handlers,
  | InspectionRoutes
  | JudgeRoutes
  | MaintenanceRoute
  | WatchRoutes
  | 'getOpsSession'
  | 'signInOperator'
  | 'signOutOperator'
  | 'setUpOps'
  | 'listOpsTokens'
  | 'createOpsToken'
  | 'revokeOpsToken'
  | 'listOperators'
  | 'createOperator'
  | 'updateOperator'
>

const usualLimit = 50

export function operationHandlers(deps: OperationDeps): Pick<Handlers, Routes> {
  const { store, commands } = deps

  const known = (name: string): Environment => {
    const environment = deps.environments().find((candidate) => candidate.name === name)
    if (environment) return environment
    const names = deps.environments().map((candidate) => candidate.name)
    throw new Problem('not-found', `There is no environment ${name}. There is: ${names.join(', ')}.`)
  }
  const deployable = (name: string): Environment => {
    const environment = known(name)
    if (environment.isLocal)
      throw new Problem('not-possible-now', 'Deployments need a prepared host: ./dam host init, then ./dam host up.')
    return environment
  }
  const confirmed = (typed: string, name: string): void => {
    if (typed !== name)
      throw new Problem('validation-failed', `Type ${name} to confirm.`, { fields: { confirm: [`Type ${name}.`] } })
  }
  const incident = (id: number): Incident => {
    const found = findIncident(store, id)
    if (!found) throw new Problem('not-found', 'There is no such incident.')
    return found
  }

  return {
    getOverview: (_, { now }) => readOverview(store, deps.environments(), deps.probes, now),
    listReleases: () => ({ results: listReleases(store) }),
    getRelease: async ({ params }) => {
      const release = await describeRelease(store, params.digest, deps)
      if (!release) throw new Problem('not-found', 'The ledger has no release of this digest.')
      return release
    },

    listDeployments: ({ query }) => ({
      results: listDeployments(store, { ...query, limit: query.limit ?? usualLimit }),
    }),
    getDeployment: ({ params }, { now }) => {
      const deployment = findDeployment(store, params.id, now)
      if (!deployment) throw new Problem('not-found', 'There is no such deployment.')
      return deployment
    },
    planDeployment: ({ params, query }, { principal }) => {
      deployable(params.environment)
      return commands.ask(['deploy', '--dry-run', params.environment, query.tag, '--by', principal.username, '--json'])
    },
    startDeployment: ({ params, body }, { principal, now }) => {
      deployable(params.environment)
      confirmed(body.confirm, params.environment)
      const args = ['deploy', params.environment, body.tag, '--by', principal.username]
      return {
        action: commands.start({ kind: 'deploy', subject: params.environment, args, who: principal.username, now }),
      }
    },
    planRollback: ({ params, query }) => {
      deployable(params.environment)
      return commands.ask([
        'rollback',
        params.environment,
        '--plan',
        '--json',
        ...(query.to === undefined ? [] : ['--to', query.to]),
      ])
    },
    startRollback: ({ params, body }, { principal, now }) => {
      deployable(params.environment)
      confirmed(body.confirm, params.environment)
      const to = body.to === undefined ? [] : ['--to', body.to]
      const args = ['rollback', params.environment, ...to, '--reason', body.reason, '--by', principal.username]
      return {
        action: commands.start({ kind: 'rollback', subject: params.environment, args, who: principal.username, now }),
      }
    },
    decideDeployment: ({ params, body }, { principal, now }) => {
      const deployment = findDeployment(store, params.id, now)
      if (!deployment) throw new Problem('not-found', 'There is no such deployment.')
      if (deployment.state !== 'waiting-for-person')
        throw new Problem('not-possible-now', `This deployment does not wait for a person: it is ${deployment.state}.`)
      const { environment } = deployment
      const how =
        body.decision === 'rollback' ? ['rollback', environment] : ['deploy', `--${body.decision}`, environment]
      const args = [...how, '--reason', body.reason, '--by', principal.username]
      return {
        action: commands.start({
          kind: `decide-${body.decision}`,
          subject: `deployment:${params.id}`,
          args,
          who: principal.username,
          now,
        }),
      }
    },

    listGates: async ({ params }) => {
      deployable(params.environment)
      return {
        environment: params.environment,
        tag: params.tag,
        gates: readGates(await commands.ask(['gates', params.environment, params.tag, '--json'])),
      }
    },
    waiveGate: async ({ params, body }, { principal, now }) => {
      const { name } = deployable(params.environment)
      // What reads reviews and policies is heavy; a waiver is rare.
      const [{ commitsToReview }, { waiveGate }, { gatePolicyOf }] = await Promise.all([
        import('../gates/review/review-release.ts'),
        import('../gates/waive-gate.ts'),
        import('../gates/wire-gates.ts'),
      ])
      const release = resolveRelease(store, params.tag)
      const commits = await commitsToReview({ store, repositoryDir: deps.checkout }, release)
      const policy = gatePolicyOf(readPolicy().policy)
      // Whoever asks for the deployment is known when they do; the evaluator passes over their own waivers then.
      const by = { name: principal.username, isAuthenticated: true }
      const { kind, reason, hours } = body
      try {
        waiveGate(
          { store, policy, release, commits },
          { environment: name, kind, by, reason, lifetimeMs: hours * hourMs, requestedBy: body.requestedBy ?? '' },
          now,
        )
      } catch (error) {
        throw new Problem('not-possible-now', error instanceof Error ? error.message : String(error))
      }
      return { ok: true, exitCode: 0, answer: null, output: `${kind} is waived for ${release.tag} in ${name}.` }
    },
    reviewRelease: async ({ params, body }, { principal, now }) => {
      const release = findReleaseByDigest(store, params.digest)
      if (!release) throw new Problem('not-found', 'The ledger has no release of this digest.')
      const [{ commitsToReview }, { attestReview }] = await Promise.all([
        import('../gates/review/review-release.ts'),
        import('../gates/review/attest-review.ts'),
      ])
      try {
        const commits = await commitsToReview({ store, repositoryDir: deps.checkout }, release)
        const by = { name: principal.username, isAuthenticated: true }
        attestReview({ store, release, commits }, { by, digest: params.digest, note: body.message ?? '' }, now)
      } catch (error) {
        throw new Problem('not-possible-now', error instanceof Error ? error.message : String(error))
      }
      return undefined
    },

    listBackups: ({ query }) => ({ results: listBackups(store, { ...query, limit: query.limit ?? usualLimit }) }),
    startBackup: ({ body }, { principal, now }) => {
      const { name } = known(body.environment)
      return {
        action: commands.start({ kind: 'backup', subject: name, args: ['backup', name], who: principal.username, now }),
      }
    },
    verifyBackup: ({ params }, { principal, now }) => {
      if (findBackupEnvironment(store, params.id) === undefined)
        throw new Problem('not-found', 'There is no such backup.')
      const args = ['backups', 'verify', params.id]
      return { action: commands.start({ kind: 'verify', subject: params.id, args, who: principal.username, now }) }
    },
    planRestore: ({ params, query }) => {
      known(query.environment)
      const plan = planRestore(store, params.id, query.environment)
      if (!plan) throw new Problem('not-found', 'There is no such backup.')
      return plan
    },
    startRestore: ({ params, body }, { principal, now }) => {
      known(body.environment)
      confirmed(body.confirm, body.environment)
      const args = ['restore', body.environment, params.id, '--yes']
      return {
        action: commands.start({ kind: 'restore', subject: body.environment, args, who: principal.username, now }),
      }
    },
    listDrills: ({ query }) => ({ results: listDrills(store, { ...query, limit: query.limit ?? usualLimit }) }),
    startDrill: ({ body }, { principal, now }) => {
      const { name } = known(body.environment)
      const args = ['drill', 'restore', name]
      return { action: commands.start({ kind: 'drill', subject: name, args, who: principal.username, now }) }
    },

    listIncidents: ({ query }) => {
      const state = query.state === 'unresolved' ? 'unresolved' : 'all'
      const { environment } = query
      const found = listIncidents(store, {
        state,
        limit: query.limit ?? 100,
        ...(environment === undefined ? {} : { environment }),
      })
      return {
        results: found
          .filter((one) => query.state !== 'resolved' || one.state === 'resolved')
          .map((one) => presentIncident(one)),
      }
    },
    raiseIncident: ({ body }, { principal, now }) => {
      const { name } = known(body.environment)
      const { title, severity } = body
      const who = principal.username
      return store.transaction(() => {
        recordAudit(store, { who, action: 'page', subject: name, detail: { title, severity }, now })
        const dedupKey = `${name}/person/${now.getTime()}`
        const cause = `reported by ${who}`
        const opened = openIncident(store, { environment: name, severity, title, cause, dedupKey, openedBy: who, now })
        return { id: opened.incident.id }
      })
    },
    getIncident: ({ params }) => {
      const found = incident(params.id)
      return {
        ...presentIncident(found),
        evidence: found.evidence,
        events: listIncidentEvents(store, found.id).map(({ who, detail, ...event }) => ({
          ...event,
          by: who,
          detail: (detail ?? {}) as Record<string, unknown>,
        })),
      }
    },
    acknowledgeIncident: ({ params, body }, { principal, now }) =>
      store.transaction(() => {
        const { id } = incident(params.id)
        if (!acknowledgeIncident(store, id, { who: principal.username, now }))
          throw new Problem('not-possible-now', 'It is acknowledged or resolved already.')
        if (body.message)
          addIncidentEvent(store, id, { kind: 'note', who: principal.username, message: body.message, now })
        recordAudit(store, { who: principal.username, action: 'incident.acknowledged', subject: `incident:${id}`, now })
        return undefined
      }),
    noteIncident: ({ params, body }, { principal, now }) =>
      store.transaction(() => {
        const { id } = incident(params.id)
        addIncidentEvent(store, id, { kind: 'note', who: principal.username, message: body.message, now })
        recordAudit(store, { who: principal.username, action: 'incident.noted', subject: `incident:${id}`, now })
        return undefined
      }),
    snoozeIncident: ({ params, body }, { principal, now }) =>
      store.transaction(() => {
        const { id } = incident(params.id)
        const who = principal.username
        const until = new Date(now.getTime() + body.minutes * 60_000)
        if (!snoozeIncident(store, id, { until, who, now }))
          throw new Problem('not-possible-now', 'It is resolved: nobody is called for it.')
        const detail = { until: until.toISOString() }
        recordAudit(store, { who, action: 'incident.snooze', subject: `incident:${id}`, detail, now })
        return undefined
      }),
    resolveIncident: ({ params, body }, { principal, now }) =>
      store.transaction(() => {
        const { id } = incident(params.id)
        if (!resolveIncident(store, id, { who: principal.username, message: body.message, now }))
          throw new Problem('not-possible-now', 'It is resolved already.')
        recordAudit(store, { who: principal.username, action: 'incident.resolved', subject: `incident:${id}`, now })
        return undefined
      }),

    receiveAlerts: ({ body }, { principal, now }) =>
      receiveAlerts(store, body, {
        environments: deps.environments().map(({ name }) => name),
        by: principal.username,
        now,
      }),
    listActions: (_, { now }) => {
      settleActions(store, now)
      return { results: listActions(store, usualLimit).map((action) => ({ ...presentAction(action), output: '' })) }
    },
    getAction: ({ params }, { now }) => {
      settleActions(store, now)
      const action = findAction(store, params.id)
      if (!action) throw new Problem('not-found', 'There is no such action.')
      return presentAction(action)
    },
    listAudit: ({ query }) => ({ results: listAudit(store, { ...query, limit: query.limit ?? 100 }) }),
    streamOpsChanges: async (_, { request, reply }) =>
      streamChanges({
        changes: deps.changes,
        streams: deps.streams,
        request,
        reply,
        isStillSignedIn: () => {
          const credential = credentialOf(request.raw, deps.cookieName)
          return credential !== undefined && authenticate(store, credential, deps.now()) !== undefined
        },
      }),
  }
}
