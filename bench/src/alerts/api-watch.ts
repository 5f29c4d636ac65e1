import { setTimeout as sleep } from 'node:timers/promises'
import { addOperator } from '@dam/ops/src/people/change-operator.ts'
import { createSession } from '@dam/ops/src/people/operator-session-store.ts'
import type { Store } from '@dam/ops/src/store.ts'

const everyMs = 25

/** Asks the API for the incidents as a console does, one request after the other; `take` gives the milliseconds of each since the last time. */
export async function watchApi(store: Store, address: string): Promise<{ take(): number[]; stop(): Promise<void> }> {
  const now = new Date()
  const { id } = await addOperator(
    store,
    { username: 'watcher', password: 'correct horse battery', role: 'viewer' },
    { who: 'bench', now },
  )
  const token = createSession(store, { operatorId: id, kind: 'token', label: 'bench', lifetimeDays: 1, now })
  let isOver = false
  let took: number[] = []
  const watching = (async () => {
    while (!isOver) {
      const from = performance.now()
      const answer = await fetch(`${address}/api/ops/v1/incidents/`, { headers: { authorization: `Token ${token}` } })
      if (!answer.ok) throw new Error(`The list of incidents: ${answer.status} ${await answer.text()}`)
      await answer.arrayBuffer()
      took.push(performance.now() - from)
      await sleep(everyMs)
    }
  })()
  return {
    take: () => {
      const all = took
      took = []
      return all
    },
    stop: () => {
      isOver = true
      return watching
    },
  }
}
