import { parseArgs } from 'node:util'
import type { Role } from '@dam/contract'
import { roles } from '@dam/contract/schemas'
import {
  countOtherAdministrators,
  findAccountByName,
  listAccounts,
  updateAccount,
} from '@dam/backend/src/people/account-store.ts'
import { hashPassword } from '@dam/platform/password'
import { addAccount } from '@dam/backend/src/people/setup.ts'
import { deleteSessions } from '@dam/backend/src/people/session-store.ts'
import { recordAudit } from '@dam/backend/src/events/record.ts'
import { type Database, openDatabase } from '@dam/platform/database'
import { chosenConfig, chosenOptions } from '../chosen-config.ts'
import { withDatabase } from '../database-access.ts'
import { CommandFailure } from '../failure.ts'
import { readNewPassword } from '../password-prompt.ts'
import { tableText } from '../table.ts'

export const help = `
Usage: ./dam user list
       ./dam user add <name> [--role ${roles.join('|')}] [--display-name <name>] [--email <address>]
       ./dam user set-role <name> <role>
       ./dam user set-password <name>

All take --environment <name> and --host <folder> for a DAM of a prepared host.

The password is asked for on a terminal, or read as the first line of standard input:
  printf '%s\\n' "$PASSWORD" | ./dam user add anna --role editor
A new password signs the user out everywhere.
`

type Action = (database: Database, words: string[], flags: Flags) => Promise<void>
type Flags = { role?: string | undefined; 'display-name'?: string | undefined; email?: string | undefined }

const actions: Record<string, { words: number; act: Action }> = {
  list: { words: 0, act: list },
  add: { words: 1, act: add },
  'set-role': { words: 2, act: setRole },
  'set-password': { words: 1, act: setPassword },
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...chosenOptions,
      role: { type: 'string' },
      'display-name': { type: 'string' },
      email: { type: 'string' },
    },
  })
  const [name = '', ...words] = positionals
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action || words.length !== action.words) throw new CommandFailure(help.trim())
  const { config } = chosenConfig(values)
  await withDatabase(config, async (connectionString) => {
    const database = openDatabase({ connectionString, applicationName: 'dam: user', maxConnections: 2 })
    try {
      await action.act(database, words, values)
    } finally {
      await database.end()
    }
  })
  return 0
}

async function list(database: Database): Promise<void> {
  const { accounts } = await listAccounts(database, 10_000, 0)
  const rows = accounts.map((account) => [
    account.username,
    account.role,
    account.active ? 'yes' : 'no',
    account.createdAt.toISOString().slice(0, 10),
    account.lastSeenAt?.toISOString().slice(0, 16) ?? '',
  ])
  console.log(tableText(['name', 'role', 'active', 'since', 'last seen'], rows))
}

async function add(database: Database, [username = '']: string[], flags: Flags): Promise<void> {
  const role = parseRole(flags.role ?? 'viewer')
  if (await findAccountByName(database, username)) throw new CommandFailure(`There is a user ${username} already.`)
  const passwordHash = await hashPassword(await readNewPassword())
  await database.transaction((tx) =>
    addAccount(tx, {
      username,
      passwordHash,
      role,
      actorId: null,
      ...(flags['display-name'] ? { displayName: flags['display-name'] } : {}),
      ...(flags.email ? { email: flags.email } : {}),
    }),
  )
  console.log(`${username} was added as ${role}`)
}

async function setRole(database: Database, [username = '', wanted = '']: string[]): Promise<void> {
  const role = parseRole(wanted)
  const account = await existing(database, username)
  await database.transaction(async (tx) => {
    const isLast = account.role === 'administrator' && (await countOtherAdministrators(tx, account.id)) === 0
    if (isLast && role !== 'administrator') {
      throw new CommandFailure(`${username} is the only administrator. Make another one first.`)
    }
    await updateAccount(tx, account.id, { role })
    await recordAudit(tx, [{ actorId: null, action: 'user.changed', object: `user:${account.id}`, detail: { role } }])
  })
  console.log(`${username} is now ${role}`)
}

async function setPassword(database: Database, [username = '']: string[]): Promise<void> {
  const account = await existing(database, username)
  const passwordHash = await hashPassword(await readNewPassword())
  await database.transaction(async (tx) => {
    await updateAccount(tx, account.id, { passwordHash })
    await deleteSessions(tx, account.id, null)
    await recordAudit(tx, [{ actorId: null, action: 'user.password-changed', object: `user:${account.id}` }])
  })
  console.log(`${username} has a new password and is signed out everywhere`)
}

async function existing(database: Database, username: string) {
  const account = await findAccountByName(database, username)
  if (!account) throw new CommandFailure(`There is no user ${username}. ./dam user list shows all.`)
  return account
}

function parseRole(text: string): Role {
  const role = roles.find((candidate) => candidate === text)
  if (!role) throw new CommandFailure(`There is no role ${text}. There are: ${roles.join(', ')}`)
  return role
}
