import { existsSync, renameSync } from 'node:fs'
import { processIdentity } from '@dam/platform/process-identity'
import pg from 'pg'
import { continueWithChildren } from '../fixes/continue-processes.ts'
import { evaluateIn } from './inspector.ts'

/** One step that takes back what a game day did. Each may be taken again, and is right although its deed was never done. */
export type Undo =
  | { kind: 'sql'; connectionString: string; statement: string }
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'continue'; pid: number; startedAt: string }
  | { kind: 'forget'; pid: number; startedAt: string }

export async function takeBack(undo: Undo): Promise<void> {
  switch (undo.kind) {
    case 'sql': {
      const client = new pg.Client({
        connectionString: undo.connectionString,
        application_name: 'dam: drill',
        connectionTimeoutMillis: 5_000,
        options: '-c default_transaction_read_only=off -c lock_timeout=10000',
      })
      client.on('error', () => undefined)
      await client.connect()
      try {
        for (const statement of undo.statement.split(';;')) await client.query(statement)
      } finally {
        await client.end().catch(() => undefined)
      }
      return
    }
    case 'rename':
      if (existsSync(undo.from)) renameSync(undo.from, undo.to)
      return
    case 'continue':
      if (processIdentity(undo.pid)?.startedAt !== undo.startedAt) return
      continueWithChildren(undo.pid)
      return
    case 'forget':
      if (processIdentity(undo.pid)?.startedAt !== undo.startedAt) return
      await evaluateIn(undo.pid, forgetExpression).catch(() => undefined)
  }
}

/** Ends the growth, frees what was held and closes the debugger. */
const forgetExpression = `(() => {
  const held = globalThis[Symbol.for('dam drill')]
  if (held) { clearInterval(held.timer); held.kept.length = 0 }
  globalThis[Symbol.for('dam drill')] = undefined
  setTimeout(() => process.getBuiltinModule('inspector').close(), 50)
  return true
})()`
