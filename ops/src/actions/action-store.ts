import type { ProcessIdentity } from '@dam/platform/process-identity'
import type { Store } from '../store.ts'

export type Action = {
  id: number
  kind: string
  subject: string
  command: string
  startedBy: string
  startedAt: string
  /** Of the child process; null while it is being started. */
  process: Pick<ProcessIdentity, 'pid' | 'startedAt'> | null
  outputFile: string
  endedAt: string | null
  exitCode: number | null
}

type Row = Omit<Action, 'process'> & { process: string }

const columns = `id, kind, subject, command, started_by as "startedBy", started_at as "startedAt", process,
  output_file as "outputFile", ended_at as "endedAt", exit_code as "exitCode"`

const fromRow = (row: Row): Action => ({
  ...row,
  process: row.process === '' ? null : (JSON.parse(row.process) as Action['process']),
})

export const insertAction = (
  store: Store,
  action: Pick<Action, 'kind' | 'subject' | 'command' | 'startedBy' | 'outputFile'> & { now: Date },
): number =>
  store.insert(
    'insert into console_action (kind, subject, command, started_by, started_at, output_file) values (?, ?, ?, ?, ?, ?)',
    action.kind,
    action.subject,
    action.command,
    action.startedBy,
    action.now.toISOString(),
    action.outputFile,
  )

export function nameProcess(store: Store, id: number, identity: Pick<ProcessIdentity, 'pid' | 'startedAt'>): void {
  const { pid, startedAt } = identity
  store.run('update console_action set process = ? where id = ?', JSON.stringify({ pid, startedAt }), id)
}

export function endAction(store: Store, id: number, exitCode: number | null, now: Date): void {
  store.run(
    'update console_action set ended_at = ?, exit_code = ? where id = ? and ended_at is null',
    now.toISOString(),
    exitCode,
    id,
  )
}

export const listActions = (store: Store, limit: number): Action[] =>
  store.rows<Row>(`select ${columns} from console_action order by id desc limit ?`, limit).map(fromRow)

export const openActions = (store: Store): Action[] =>
  store.rows<Row>(`select ${columns} from console_action where ended_at is null`).map(fromRow)

export const findAction = (store: Store, id: number): Action | undefined => {
  const row = store.row<Row>(`select ${columns} from console_action where id = ?`, id)
  return row && fromRow(row)
}
