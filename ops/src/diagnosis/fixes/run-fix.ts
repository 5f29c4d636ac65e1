import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { recordAudit } from '../../audit/audit.ts'
import type { Store } from '../../store.ts'
import type { ProposedAction } from '../actions.ts'
import type { CdnConfig } from '../cdn/purge-cdn.ts'
import { purgeCdn } from '../cdn/purge-cdn.ts'
import { findDiagnosis } from '../diagnosis-store.ts'
import type { DiagnosisPlace } from '../place.ts'
import { startedAtOf, titleOf } from '../probes/processes.ts'
import { clearKeys } from '../probes/redis.ts'
import { continueWithChildren } from './continue-processes.ts'

export type Fix = { reference: string; environment: string; action: ProposedAction; proposedAt: string }

/** `12.1` is the action of the first cause of diagnosis 12. Undefined when there is none. */
export function findFix(store: Store, reference: string): Fix | undefined {
  const [, id, rank] = /^(\d+)\.(\d+)$/.exec(reference) ?? []
  const kept = id === undefined ? undefined : findDiagnosis(store, Number(id))
  const cause = kept?.report.causes[Number(rank) - 1]
  return kept && cause && { reference, environment: kept.environment, action: cause.action, proposedAt: kept.at }
}

/** `isPossible` is what holds now, not what held when it was proposed. */
export type DryRun = { isPossible: boolean; says: string[] }

export type FixDeps = {
  place: DiagnosisPlace
  cdn: CdnConfig
  /** Runs `./dam …` and gives what it printed; throws when it fails. */
  runCommand: (args: readonly string[]) => Promise<string>
}

/** What the fix would meet now. Changes nothing. */
export async function dryRunFix({ place }: FixDeps, { action }: Fix): Promise<DryRun> {
  const { subject } = action
  switch (action.kind) {
    case 'advice':
      return { isPossible: false, says: ['This one is for a person; DAM does not run it.'] }
    case 'terminate-session': {
      const [session] = await sessionsOf(place, 'pid = $1 and backend_start::text = $2', [
        subject['pid'],
        subject['backendStart'],
      ])
      return session
        ? { isPossible: true, says: [describe(session)] }
        : { isPossible: false, says: [`Session ${subject['pid']} has ended already.`] }
    }
    case 'terminate-idle-sessions': {
      const sessions = await sessionsOf(place, `application_name = $1 and state like 'idle%'`, [subject['application']])
      return {
        isPossible: sessions.length > 0,
        says: [`${sessions.length} idle sessions`, ...sessions.slice(0, 10).map(describe)],
      }
    }
    case 'reset-setting': {
      const rows = await onServer(place, (client) =>
        client.query<{ setting: string; sourcefile: string }>(
          'select setting, sourcefile from pg_file_settings where name = $1',
          [subject['setting']],
        ),
      )
      return rows.rows.length > 0
        ? {
            isPossible: true,
            says: rows.rows.map(
              ({ setting, sourcefile }) => `${subject['setting']} = ${setting} in ${sourcefile.split('/').at(-1)}`,
            ),
          }
        : { isPossible: false, says: [`No file of settings has ${subject['setting']}.`] }
    }
    case 'restart-process':
    case 'continue-process':
    case 'end-foreign-process': {
      const pid = Number(subject['pid'])
      const title = titleOf(pid)
      if (!isSameProcess(subject))
        return { isPossible: false, says: [`Process ${pid} is not ${subject['process']} any more.`] }
      if (action.kind === 'restart-process' && !/^dam: (web|worker)/.test(title))
        return { isPossible: false, says: [`${title} is not one that its supervisor starts again.`] }
      return { isPossible: true, says: [`${title} (${pid}) runs`] }
    }
    case 'clear-cache':
      return {
        isPossible: place.redisUrl !== null,
        says: ['Only keys under dam: are deleted; what they held is computed again.'],
      }
    case 'purge-cdn':
      return { isPossible: true, says: urlsOf(subject) }
    case 'roll-back':
      return place.environment.isLocal
        ? { isPossible: false, says: ['A local DAM has no earlier release to go back to.'] }
        : { isPossible: true, says: ['See every way back: ./dam rollback --plan'] }
    case 'create-index':
      return {
        isPossible: true,
        says: [`on ${subject['table']} (${subject['column']}), built while others read and write`],
      }
  }
}

/**
 * Carries a fix out and puts it on the record, done or failed. The caller has asked for consent: `--yes` for disruptive ones, the typed
 * name for destructive ones; this checks it again.
 */
export async function carryOutFix(
  deps: FixDeps,
  fix: Fix,
  by: { who: string; isConfirmed: boolean; typed?: string },
): Promise<string> {
  const { action } = fix
  if (!mayCarryOut(action, by)) throw new Error(consentFor(action))
  const dry = await dryRunFix(deps, fix)
  if (!dry.isPossible) throw new Error(dry.says.join(' '))
  const record = (outcome: string, detail: string): void =>
    recordAudit(deps.place.store, {
      who: by.who,
      action: `fix.${action.kind}`,
      subject: `fix:${fix.reference}`,
      detail: {
        environment: fix.environment,
        risk: action.risk,
        command: action.command,
        subject: action.subject,
        outcome,
        said: detail,
      },
      now: new Date(),
    })
  try {
    const says = await deeds(deps, action)
    record('done', says)
    return says
  } catch (error) {
    record('failed', String(error))
    throw error
  }
}

export const mayCarryOut = (action: ProposedAction, by: { isConfirmed: boolean; typed?: string }): boolean =>
  action.risk === 'destructive'
    ? action.typedName !== undefined && by.typed === action.typedName
    : by.isConfirmed || action.risk === 'read'

export const consentFor = (action: ProposedAction): string =>
  action.risk === 'destructive'
    ? `This is destructive: say its name with --name ${JSON.stringify(action.typedName ?? '')}.`
    : `This changes something (${action.risk}): add --yes.`

async function deeds({ place, cdn, runCommand }: FixDeps, { kind, subject }: ProposedAction): Promise<string> {
  switch (kind) {
    case 'terminate-session': {
      const { rowCount } = await onServer(place, (client) =>
        client.query(
          'select pg_terminate_backend(pid, 2000) from pg_stat_activity where pid = $1 and backend_start::text = $2',
          [subject['pid'], subject['backendStart']],
        ),
      )
      return `${rowCount ?? 0} session ended`
    }
    case 'terminate-idle-sessions': {
      const { rowCount } = await onServer(place, (client) =>
        client.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and state like 'idle%' and pid <> pg_backend_pid()`,
          [subject['application']],
        ),
      )
      return `${rowCount ?? 0} sessions ended`
    }
    case 'reset-setting':
      await onServer(place, async (client) => {
        await client.query(`alter system reset ${pg.escapeIdentifier(String(subject['setting']))}`)
        await client.query('select pg_reload_conf()')
      })
      return `${subject['setting']} is reset`
    case 'restart-process':
    case 'end-foreign-process': {
      const pid = Number(subject['pid'])
      process.kill(pid, 'SIGTERM')
      for (let waited = 0; waited < 15_000 && isSameProcess(subject); waited += 200) await sleep(200)
      return isSameProcess(subject)
        ? `${pid} was asked to end and still runs`
        : `${pid} has ended${kind === 'restart-process' ? '; its supervisor starts another' : ''}`
    }
    case 'continue-process':
      continueWithChildren(Number(subject['pid']))
      return `${subject['pid']} goes on`
    case 'clear-cache':
      return `${await clearKeys(place.redisUrl)} keys deleted`
    case 'purge-cdn': {
      const answers = await purgeCdn(cdn, urlsOf(subject), new Date())
      const failed = answers.filter(({ ok }) => !ok)
      if (failed.length > 0)
        throw new Error(`${failed.length} of ${answers.length} addresses were not purged: ${failed[0]?.says}`)
      return `${answers.length} addresses purged`
    }
    case 'roll-back':
      return runCommand([
        'rollback',
        place.environment.name,
        '--reason',
        `errors of ${subject['release'] ?? 'the release'}`,
      ])
    case 'create-index':
      await onServer(place, (client) =>
        client.query(
          `create index concurrently if not exists ${pg.escapeIdentifier(String(subject['index']))} on ${pg.escapeIdentifier(String(subject['table']))} (${pg.escapeIdentifier(String(subject['column']))})`,
        ),
      )
      return `index ${subject['index']} is there`
    case 'advice':
      throw new Error('This one is for a person; DAM does not run it.')
  }
}

const urlsOf = (subject: ProposedAction['subject']): string[] =>
  String(subject['urls'] ?? '')
    .split(' ')
    .filter(Boolean)

/** The number may belong to another process by now. */
function isSameProcess(subject: ProposedAction['subject']): boolean {
  const pid = Number(subject['pid'])
  if (titleOf(pid).slice(0, 80) !== String(subject['process']).slice(0, 80)) return false
  const startedAt = startedAtOf(pid)
  if (startedAt === null) return false
  return (
    subject['startedAt'] === undefined ||
    Math.abs(Date.parse(startedAt) - Date.parse(String(subject['startedAt']))) < 3_000
  )
}

type Row = { pid: number; application_name: string; state: string; seconds: number; query: string }
const describe = ({ pid, application_name, state, seconds, query }: Row): string =>
  `session ${pid} (${application_name}), ${state} for ${Math.round(seconds)} s: ${query}`

const sessionsOf = async (place: DiagnosisPlace, where: string, values: unknown[]): Promise<Row[]> =>
  (
    await onServer(place, (client) =>
      client.query<Row>(
        `select pid, application_name, coalesce(state, '') as state, coalesce(extract(epoch from now() - state_change), 0)::float8 as seconds,
                left(coalesce(query, ''), 120) as query from pg_stat_activity where pid <> pg_backend_pid() and ${where}`,
        values,
      ),
    )
  ).rows

async function onServer<T>({ connectionString }: DiagnosisPlace, work: (client: pg.Client) => Promise<T>): Promise<T> {
  if (connectionString === null) throw new Error('The database does not run. ./dam doctor says what is the matter.')
  const client = new pg.Client({ connectionString, application_name: 'dam: fix', connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
