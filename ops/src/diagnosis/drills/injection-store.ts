import { type ProcessIdentity, processIdentity } from '@dam/platform/process-identity'
import { recordAudit } from '../../audit/audit.ts'
import type { Store } from '../../store.ts'
import { takeBack, type Undo } from './undo.ts'

type Row = { id: number; environment: string; issue: string; variant: string; process: string; undo: string }

/** Written before the deed, so that whoever finds it can take the deed back. */
export function beginInjection(
  store: Store,
  injection: { environment: string; issue: string; variant: string; undo: readonly Undo[]; who: string; now: Date },
): number {
  const me = processIdentity(process.pid)
  return store.transaction(() => {
    recordAudit(store, {
      who: injection.who,
      action: 'drill.inject',
      subject: injection.environment,
      detail: { issue: injection.issue, variant: injection.variant },
      now: injection.now,
    })
    return store.insert(
      'insert into injection (environment, issue, variant, at, process, undo) values (?, ?, ?, ?, ?, ?)',
      injection.environment,
      injection.issue,
      injection.variant,
      injection.now.toISOString(),
      JSON.stringify({ pid: process.pid, startedAt: me?.startedAt ?? '' }),
      JSON.stringify(injection.undo),
    )
  })
}

export const endInjection = (store: Store, id: number, now: Date): void => {
  store.run('update injection set ended_at = ? where id = ? and ended_at is null', now.toISOString(), id)
}

/** Takes back what game days left behind whose process is gone. Returns what it took back. */
export async function cleanUpInjections(store: Store, now: Date): Promise<string[]> {
  const left = store
    .rows<Row>(
      'select id, environment, issue, variant, process, undo from injection where ended_at is null order by id',
    )
    .filter((row) => !isAlive(JSON.parse(row.process) as Pick<ProcessIdentity, 'pid' | 'startedAt'>))
  const done: string[] = []
  for (const { id, environment, issue, variant, undo } of left) {
    for (const step of JSON.parse(undo) as Undo[]) await takeBack(step)
    endInjection(store, id, now)
    done.push(`${issue}/${variant} of ${environment}`)
  }
  return done
}

const isAlive = ({ pid, startedAt }: Pick<ProcessIdentity, 'pid' | 'startedAt'>): boolean =>
  processIdentity(pid)?.startedAt === startedAt
