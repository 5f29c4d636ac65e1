// A process of its own, so that watching costs neither the product nor the load generator their event loop.
import { setTimeout as sleep } from 'node:timers/promises'
import { pssBytes, readTree } from './process-tree.ts'

const [rootPid, everyMs] = [Number(process.argv[2]), Number(process.argv[3])]
const totals: number[] = []
let atPeak: Record<string, number> = {}
let peak = 0
let stopping = false
process.once('message', () => (stopping = true))
process.once('disconnect', () => process.exit())

while (!stopping) {
  const startedAt = performance.now()
  const byRole: Record<string, number> = {}
  let total = 0
  let tree
  try {
    tree = readTree(rootPid)
  } catch {
    break
  }
  for (const { pid, role } of tree) {
    const bytes = pssBytes(pid)
    total += bytes
    byRole[role] = (byRole[role] ?? 0) + bytes
  }
  totals.push(total)
  if (total > peak) [peak, atPeak] = [total, byRole]
  await sleep(Math.max(10, everyMs - (performance.now() - startedAt)))
}
process.send?.({ totals, atPeak }, () => process.exit())
