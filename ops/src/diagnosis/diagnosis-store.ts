import { recordAudit } from '../audit/audit.ts'
import type { Store } from '../store.ts'
import type { PlaybookName } from '../policy/policy.ts'
import type { Diagnosis } from './diagnose.ts'

export type KeptDiagnosis = {
  id: number
  at: string
  environment: string
  playbook: PlaybookName
  by: string
  incidentId: number | null
  report: Diagnosis
}

type Row = Omit<KeptDiagnosis, 'report'> & { report: string }
const columns = 'id, at, environment, playbook, by_whom as "by", incident_id as incidentId, report'
const fromRow = (row: Row): KeptDiagnosis => ({ ...row, report: JSON.parse(row.report) as Diagnosis })

const keptRows = 2_000

/** Keeps a diagnosis with who asked for it; its number names its actions: `./dam fix 12.1`. */
export function keepDiagnosis(
  store: Store,
  diagnosis: Diagnosis,
  by: { who: string; incidentId?: number; now: Date },
): number {
  return store.transaction(() => {
    const id = store.insert(
      'insert into diagnosis (at, environment, playbook, by_whom, incident_id, report) values (?, ?, ?, ?, ?, ?)',
      diagnosis.at,
      diagnosis.environment,
      diagnosis.playbook,
      by.who,
      by.incidentId ?? null,
      JSON.stringify(diagnosis),
    )
    recordAudit(store, {
      who: by.who,
      action: 'diagnose',
      subject: `diagnosis:${id}`,
      detail: { playbook: diagnosis.playbook, environment: diagnosis.environment },
      now: by.now,
    })
    store.run('delete from diagnosis where id <= ?', id - keptRows)
    return id
  })
}

export const findDiagnosis = (store: Store, id: number): KeptDiagnosis | undefined => {
  const row = store.row<Row>(`select ${columns} from diagnosis where id = ?`, id)
  return row && fromRow(row)
}

/** Newest first. */
export const listDiagnoses = (store: Store, options: { environment?: string; limit: number }): KeptDiagnosis[] =>
  store
    .rows<Row>(
      `select ${columns} from diagnosis where (? = '' or environment = ?) order by id desc limit ?`,
      options.environment ?? '',
      options.environment ?? '',
      options.limit,
    )
    .map(fromRow)
