import path from 'node:path'
import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { operatorRoles } from '@dam/contract/ops-schemas'
import type { OperatorRole } from '@dam/contract/ops-types'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import { hostFolders } from '@dam/ops/src/environments/environment.ts'
import { addOperator, changeOperator } from '@dam/ops/src/people/change-operator.ts'
import { findOperatorByName, listOperators, type Operator } from '@dam/ops/src/people/operator-store.ts'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import { createSession } from '@dam/ops/src/people/operator-session-store.ts'
import { openStore, type Store } from '@dam/ops/src/store.ts'
import { readEffectiveConfig } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { readNewPassword } from '../password-prompt.ts'
import { tableText } from '../table.ts'

export const help = `
Usage: ./dam operator list
       ./dam operator add <name> [--role ${operatorRoles.join('|')}] [--display-name <name>] [--email <address>]
       ./dam operator set-role <name> <role>
       ./dam operator passwd <name>
       ./dam operator token <name> [--days <number>]

Operators are the people of the operations console; they are not DAM's users, so that they can sign in while DAM is down.
A viewer looks, an operator deploys, rolls back and works on incidents, an administrator also restores and adds operators.
The password is asked for on a terminal, or read as the first line of standard input. A new password signs out everywhere.
token prints an API token for a machine (Authorization: Token …), good for 90 days.
With DAM_HOST_DIR it works on that host, else on the local DAM (DAM_DATA).
`

type Flags = {
  role?: string | undefined
  'display-name'?: string | undefined
  email?: string | undefined
  days?: string | undefined
}
type Action = (store: Store, words: string[], flags: Flags) => Promise<void> | void

const actions: Record<string, { words: number; act: Action }> = {
  list: { words: 0, act: list },
  add: { words: 1, act: add },
  'set-role': { words: 2, act: setRole },
  passwd: { words: 1, act: setPassword },
  token: { words: 1, act: makeToken },
}

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      role: { type: 'string' },
      'display-name': { type: 'string' },
      email: { type: 'string' },
      days: { type: 'string' },
    },
  })
  const [name = '', ...words] = positionals
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action || words.length !== action.words) throw new CommandFailure(help.trim())
  const config = readOpsConfig(readEffectiveConfig().environment)
  using store = openStore(
    config.hostDir === undefined ? path.join(config.dataDir, 'ops') : hostFolders(config.hostDir).ops,
  )
  await action.act(store, words, values)
  return 0
}

/** Whoever may read the store may do this; the name of the system's user stands in the audit. */
const who = (): string => `${userInfo().username} (./dam operator)`

function list(store: Store): void {
  const rows = listOperators(store).map((operator) => [
    operator.username,
    operator.role,
    operator.active ? 'yes' : 'no',
    operator.createdAt.slice(0, 10),
    operator.displayName,
  ])
  console.log(tableText(['name', 'role', 'active', 'since', 'called'], rows))
}

async function add(store: Store, [username = '']: string[], flags: Flags): Promise<void> {
  if (!/^[\w.@+-]{1,80}$/.test(username)) throw new CommandFailure('A name has letters, digits and . @ + - _ only.')
  const role = parseRole(flags.role ?? 'viewer')
  if (findOperatorByName(store, username)) throw new CommandFailure(`There is an operator ${username} already.`)
  await addOperator(
    store,
    { username, password: await readNewPassword(), role, displayName: flags['display-name'], email: flags.email },
    { who: who(), now: new Date() },
  )
  console.log(`${username} was added as ${role}`)
}

async function setRole(store: Store, [username = '', wanted = '']: string[]): Promise<void> {
  const role = parseRole(wanted)
  await changeOperator(store, existing(store, username).id, { role }, deed())
  console.log(`${username} is now ${role}`)
}

async function setPassword(store: Store, [username = '']: string[]): Promise<void> {
  const { id } = existing(store, username)
  await changeOperator(store, id, { password: await readNewPassword() }, deed())
  console.log(`${username} has a new password and is signed out everywhere`)
}

function makeToken(store: Store, [username = '']: string[], flags: Flags): void {
  const days = Number(flags.days ?? 90)
  if (!Number.isInteger(days) || days < 1 || days > 3650)
    throw new CommandFailure('--days takes a number from 1 to 3650.')
  const { id } = existing(store, username)
  const now = new Date()
  const token = store.transaction(() => {
    recordAudit(store, { who: who(), action: 'token.created', subject: `operator:${username}`, detail: { days }, now })
    return createSession(store, {
      operatorId: id,
      kind: 'token',
      label: './dam operator token',
      lifetimeDays: days,
      now,
    })
  })
  console.log(token)
}

const deed = () => ({ who: who(), now: new Date(), keepSession: null })

function existing(store: Store, username: string): Operator {
  const operator = findOperatorByName(store, username)
  if (!operator) throw new CommandFailure(`There is no operator ${username}. ./dam operator list shows all.`)
  return operator
}

function parseRole(text: string): OperatorRole {
  const role = operatorRoles.find((candidate) => candidate === text)
  if (!role) throw new CommandFailure(`There is no role ${text}. There are: ${operatorRoles.join(', ')}`)
  return role
}
