// One of the processes that write alerts: `<folder> <writer> <count> <seconds> <groups>`; answers how many were committed.
import { setTimeout as sleep } from 'node:timers/promises'
import { openIncident } from '@dam/ops/src/incidents/incident-store.ts'
import { openStore } from '@dam/ops/src/store.ts'

const [folder = '', writer = '', count = '', seconds = '', groups = ''] = process.argv.slice(2)
const total = Number(count)
const store = openStore(folder)
const startedAt = performance.now()
// Ten times a second, as a burst of a request with many alerts arrives: one commit for each burst.
const bursts = Math.max(1, Number(seconds) * 10)
let accepted = 0
for (let burst = 0; burst < bursts; burst++) {
  const share = Math.floor(((burst + 1) * total) / bursts) - Math.floor((burst * total) / bursts)
  const now = new Date()
  store.transaction(() => {
    for (let n = 0; n < share; n++) {
      const number = accepted + n
      const group = (number * 7 + Number(writer)) % Number(groups)
      openIncident(store, {
        environment: 'bench',
        severity: number % 100 === 99 ? 'P0' : 'P1',
        title: `Storm of group ${group}`,
        cause: '',
        dedupKey: `bench/storm/${group}`,
        openedBy: `writer ${writer}`,
        now,
      })
    }
  })
  accepted += share
  const nextMs = ((burst + 1) * Number(seconds) * 1_000) / bursts - (performance.now() - startedAt)
  if (nextMs > 0) await sleep(nextMs)
}
store.close()
process.send?.({ accepted }, () => process.exit(0))
