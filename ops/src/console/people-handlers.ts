import { Problem } from '@dam/contract'
import type { OperatorView } from '@dam/contract/ops-types'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { verifyPassword } from '@dam/platform/password'
import { recordAudit } from '../audit/audit.ts'
import type { Shift } from '../oncall/shift-rights.ts'
import { sessionDays } from '../people/authenticate.ts'
import { addOperator, changeOperator } from '../people/change-operator.ts'
import {
  findOperator,
  findOperatorByName,
  hasOperators,
  listOperators,
  type Operator,
} from '../people/operator-store.ts'
import { createSession, deleteSession, listTokens, type Principal } from '../people/operator-session-store.ts'
import { setUp } from '../people/setup.ts'
import { clearSignIn, countSignIn } from '../people/sign-in-limit.ts'
import type { Store } from '../store.ts'
import type { Handlers } from './handler.ts'

export type PeopleDeps = {
  store: Store
  cookieName: string
  isHttps: boolean
  version: string
  isHosted: boolean
  shiftOf: (principal: Principal, now: Date) => Shift | null
}

type PeopleRoutes =
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

const present = (operator: Operator): OperatorView => ({
  id: operator.id,
  username: operator.username,
  displayName: operator.displayName,
  email: operator.email,
  role: operator.role,
  active: operator.active,
  createdAt: operator.createdAt,
})

export function peopleHandlers(deps: PeopleDeps): Pick<Handlers, PeopleRoutes> {
  const { store } = deps
  const cookie = (value: string, maxAgeSeconds: number): string =>
    `${deps.cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${deps.isHttps ? '; Secure' : ''}`

  const startSession = (operator: Operator, request: FastifyRequest, reply: FastifyReply, now: Date): void => {
    const label = request.headers['user-agent'] ?? ''
    const token = createSession(store, {
      operatorId: operator.id,
      kind: 'browser',
      label,
      lifetimeDays: sessionDays,
      now,
    })
    void reply.header('set-cookie', cookie(token, sessionDays * 86_400))
    recordAudit(store, { who: operator.username, action: 'session.started', subject: `address:${request.ip}`, now })
  }

  return {
    getOpsSession: (_, { principal, now }) => {
      const operator = principal && findOperator(store, principal.id)
      return {
        // The role of this moment: a shift may raise it.
        operator: operator ? { ...present(operator), role: principal.role } : null,
        setupRequired: operator ? false : !hasOperators(store),
        version: deps.version,
        isHosted: deps.isHosted,
        shift: operator ? deps.shiftOf({ ...principal, role: operator.role }, now) : null,
      }
    },
    signInOperator: async ({ body }, { request, reply, now }) => {
      countSignIn(store, body.username, request.ip, now)
      const operator = findOperatorByName(store, body.username.trim())
      const matches = await verifyPassword(body.password, operator?.active ? operator.passwordHash : undefined)
      if (!operator || !matches) {
        recordAudit(store, {
          who: body.username.slice(0, 80),
          action: 'session.refused',
          subject: `address:${request.ip}`,
          now,
        })
        throw new Problem('credentials-rejected', 'The user name or the password is not right.')
      }
      clearSignIn(store, body.username, request.ip)
      startSession(operator, request, reply, now)
      return present(operator)
    },
    signOutOperator: (_, { principal, reply, now }) => {
      deleteSession(store, principal.id, principal.sessionId)
      recordAudit(store, { who: principal.username, action: 'session.ended', now })
      void reply.header('set-cookie', cookie('', 0))
      return undefined
    },
    setUpOps: async ({ body }, { request, reply, now }) => {
      countSignIn(store, 'set-up link', request.ip, now)
      const operator = await setUp(store, body, now)
      startSession(operator, request, reply, now)
      return present(operator)
    },
    listOpsTokens: (_, { principal, now }) => ({ results: listTokens(store, principal.id, now) }),
    createOpsToken: ({ body }, { principal, now }) => {
      if (principal.kind === 'token')
        throw new Problem('not-allowed', 'A token cannot make tokens. Sign in with the browser, or use ./dam operator.')
      const token = store.transaction(() => {
        recordAudit(store, { who: principal.username, action: 'token.created', subject: body.label, now })
        return createSession(store, {
          operatorId: principal.id,
          kind: 'token',
          label: body.label,
          lifetimeDays: body.days ?? 90,
          now,
        })
      })
      return { token }
    },
    revokeOpsToken: ({ params }, { principal, now }) => {
      if (deleteSession(store, principal.id, params.id) === 0) throw new Problem('not-found', 'You have no such token.')
      recordAudit(store, { who: principal.username, action: 'token.revoked', subject: `token:${params.id}`, now })
      return undefined
    },
    listOperators: () => ({ results: listOperators(store).map(present) }),
    createOperator: async ({ body }, { principal, now }) =>
      present(await addOperator(store, body, { who: principal.username, now })),
    updateOperator: async ({ params, body }, { principal, now }) =>
      present(
        await changeOperator(store, params.id, body, {
          who: principal.username,
          now,
          keepSession: params.id === principal.id ? principal.sessionId : null,
        }),
      ),
  }
}
