import { parseArgs } from 'node:util'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import { listOutbox, retryDead } from '@dam/ops/src/notify/outbox-store.ts'
import { CommandFailure } from '../failure.ts'
import { tableText } from '../table.ts'
import { openWatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam outbox [--dead] [--json]    messages of operations, newest first; --dead those that no destination will take
       ./dam outbox retry <id>           sends a dead one again

The ops process sends them; ./dam channels says whether their destinations work.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      host: { type: 'string' },
      dead: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  using place = openWatchPlace(values.host)
  const { store, who, now } = place
  const [verb, number] = positionals
  if (verb === 'retry') {
    const id = Number(number)
    const isAgain = store.transaction(() => {
      if (!Number.isInteger(id) || !retryDead(store, id, { who, now })) return false
      recordAudit(store, { who, action: 'message.retried', subject: `outbox:${id}`, now })
      return true
    })
    if (!isAgain) throw new CommandFailure('Name a dead message by its number: ./dam outbox --dead lists them.')
    console.log(`Message ${id} is sent again.`)
    return 0
  }
  if (verb !== undefined)
    throw new CommandFailure(`There is no ./dam outbox ${verb}; there is ./dam outbox retry <id>.`)
  const entries = listOutbox(store, { ...(values.dead ? { state: 'dead' as const } : {}), limit: 100 })
  if (values.json) console.log(JSON.stringify(entries, null, 2))
  else if (entries.length === 0) console.log(values.dead ? 'No message is dead.' : 'There is no message.')
  else
    console.log(
      tableText(
        ['id', 'state', 'channel', 'tries', 'made', 'what', 'answer'],
        entries.map((one) => [
          one.id,
          one.state,
          one.channel,
          one.attempts,
          one.createdAt,
          one.message.title,
          one.outcome,
        ]),
      ),
    )
  return 0
}
