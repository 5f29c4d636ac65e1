import { Problem, type User } from '@dam/contract'
import type { Database } from '@dam/platform/database'
import { recordAudit } from '../events/record.ts'
import type { Context, Handlers } from '../http/handler.ts'
import { pageOf } from '../http/page.ts'
import { permissionsOf } from './access.ts'
import {
  countOtherAdministrators,
  findAccount,
  findAccountByName,
  hasAccounts,
  listAccounts,
  updateAccount,
  type Account,
} from './account-store.ts'
import type { Authenticator } from './authenticate.ts'
import { hashPassword, verifyPassword } from '@dam/platform/password'
import { createSession, deleteSession, deleteSessions, listSessions } from './session-store.ts'
import { addAccount, setUp } from './setup.ts'
import { clearSignIn, countSignIn } from './sign-in-limit.ts'

export type PeopleDeps = {
  database: Database
  authenticator: Authenticator
  cookieName: string
  secureCookie: boolean
  sessionDays: number
  tokenDays: number
  version: string
}

type PeopleRoutes =
  | 'getSession'
  | 'setUp'
  | 'signIn'
  | 'signOut'
  | 'obtainToken'
  | 'listTokens'
  | 'revokeToken'
  | 'getCurrentUser'
  | 'changePassword'
  | 'listUsers'
  | 'createUser'
  | 'getUser'
  | 'updateUser'

export function peopleHandlers(deps: PeopleDeps): Pick<Handlers, PeopleRoutes> {
  const { database, authenticator } = deps

  const present = (account: Account, origin: string): User => ({
    id: account.id,
    url: `${origin}/api/v4/users/${account.id}/`,
    username: account.username,
    display_name: account.displayName,
    email: account.email,
    role: account.role,
    active: account.active,
    date_joined: account.createdAt.toISOString(),
    last_seen_at: account.lastSeenAt?.toISOString() ?? null,
    permissions: permissionsOf(account.role),
  })

  const existing = async (id: number): Promise<Account> => {
    const account = await findAccount(database, id)
    if (!account) throw new Problem('user-not-found', 'There is no such user.')
    return account
  }

  const verify = async (credentials: { username: string; password: string }, address: string): Promise<Account> => {
    await countSignIn(database, credentials.username, address)
    const account = await findAccountByName(database, credentials.username)
    const matches = await verifyPassword(credentials.password, account?.active ? account.passwordHash : undefined)
    if (!account || !matches) throw new Problem('credentials-rejected', 'The user name or the password is not right.')
    await clearSignIn(database, credentials.username, address)
    return account
  }

  const startBrowserSession = async (
    account: Account,
    context: Pick<Context<'signIn'>, 'reply' | 'request'>,
  ): Promise<void> => {
    const token = await createSession(database, {
      accountId: account.id,
      kind: 'browser',
      label: context.request.headers['user-agent'] ?? '',
      lifetimeDays: deps.sessionDays,
    })
    context.reply.header('set-cookie', cookie(token, deps.sessionDays * 86_400))
  }

  const cookie = (value: string, maxAgeSeconds: number): string =>
    `${deps.cookieName}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${deps.secureCookie ? '; Secure' : ''}`

  return {
    getSession: async (_, { principal, origin }) => ({
      user: principal ? present(await existing(principal.id), origin) : null,
      setup_required: principal ? false : !(await hasAccounts(database)),
      version: deps.version,
    }),
    setUp: async ({ body }, context) => {
      const account = await setUp(database, body)
      await startBrowserSession(account, context)
      return present(account, context.origin)
    },
    signIn: async ({ body }, context) => {
      const account = await verify(body, context.request.ip)
      await startBrowserSession(account, context)
      return present(account, context.origin)
    },
    signOut: async (_, { principal, reply }) => {
      await deleteSession(database, principal.id, principal.sessionId)
      authenticator.forget({ sessionId: principal.sessionId })
      reply.header('set-cookie', cookie('', 0))
      return undefined
    },
    obtainToken: async ({ body }, { request }) => {
      const account = await verify(body, request.ip)
      const label = `API token, ${request.headers['user-agent'] ?? 'unknown client'}`
      return {
        token: await createSession(database, {
          accountId: account.id,
          kind: 'token',
          label,
          lifetimeDays: deps.tokenDays,
        }),
      }
    },
    listTokens: async (_, { principal }) => {
      const sessions = await listSessions(database, principal.id)
      const results = sessions.map((session) => ({
        id: session.id,
        label: session.label,
        kind: session.kind,
        current: session.id === principal.sessionId,
        date_added: session.createdAt.toISOString(),
        last_used_at: session.lastUsedAt.toISOString(),
        expires_at: session.expiresAt.toISOString(),
      }))
      return { count: results.length, next: null, previous: null, results }
    },
    revokeToken: async ({ params }, { principal }) => {
      if ((await deleteSession(database, principal.id, params.id)) === 0) {
        throw new Problem('not-found', 'You have no such session or token.')
      }
      authenticator.forget({ sessionId: params.id })
      return undefined
    },
    getCurrentUser: async (_, { principal, origin }) => present(await existing(principal.id), origin),
    changePassword: async ({ body }, { principal, request }) => {
      const account = await existing(principal.id)
      await countSignIn(database, account.username, request.ip)
      if (!(await verifyPassword(body.current_password, account.passwordHash))) {
        throw new Problem('validation-failed', 'The current password is not right.', {
          fields: { current_password: ['This is not your current password.'] },
        })
      }
      await clearSignIn(database, account.username, request.ip)
      const passwordHash = await hashPassword(body.new_password)
      await database.transaction(async (tx) => {
        await updateAccount(tx, principal.id, { passwordHash })
        await deleteSessions(tx, principal.id, principal.sessionId)
        await recordAudit(tx, [
          { actorId: principal.id, action: 'user.password-changed', object: `user:${principal.id}` },
        ])
      })
      authenticator.forget({ accountId: principal.id })
      return undefined
    },
    listUsers: async ({ query }, { request, origin }) => {
      const size = query.page_size ?? 50
      const number = query.page ?? 1
      const { total, accounts } = await listAccounts(database, size, (number - 1) * size)
      return pageOf({
        results: accounts.map((account) => present(account, origin)),
        count: total,
        page: number,
        pageSize: size,
        origin,
        url: request.url,
      })
    },
    createUser: async ({ body }, { principal, reply, origin }) => {
      const passwordHash = await hashPassword(body.password)
      const account = await database.transaction((tx) =>
        addAccount(tx, {
          username: body.username,
          passwordHash,
          role: body.role,
          displayName: body.display_name,
          email: body.email,
          actorId: principal.id,
        }),
      )
      const user = present(account, origin)
      reply.header('location', user.url)
      return user
    },
    getUser: async ({ params }, { origin }) => present(await existing(params.id), origin),
    updateUser: async ({ params, body }, { principal, origin }) => {
      const passwordHash = body.password === undefined ? undefined : await hashPassword(body.password)
      const account = await database.transaction(async (tx) => {
        const loses = (body.role !== undefined && body.role !== 'administrator') || body.active === false
        if (loses && (await countOtherAdministrators(tx, params.id)) === 0) {
          const target = await findAccount(tx, params.id)
          if (target?.role === 'administrator' && target.active) {
            throw new Problem(
              'last-administrator',
              'This is the last administrator. Make somebody else administrator first.',
            )
          }
        }
        const changed = await updateAccount(tx, params.id, {
          displayName: body.display_name,
          email: body.email,
          role: body.role,
          active: body.active,
          passwordHash,
        })
        if (!changed) throw new Problem('user-not-found', 'There is no such user.')
        // A new privilege, a new password or a closed account ends what was open under the old one.
        if (body.role !== undefined || body.active === false || passwordHash !== undefined)
          await deleteSessions(tx, params.id, params.id === principal.id ? principal.sessionId : null)
        const { password, ...detail } = body
        await recordAudit(tx, [
          {
            actorId: principal.id,
            action: 'user.changed',
            object: `user:${params.id}`,
            detail: { ...detail, ...(password === undefined ? {} : { password: 'changed' }) },
          },
        ])
        return changed
      })
      authenticator.forget({ accountId: params.id })
      return present(account, origin)
    },
  }
}
