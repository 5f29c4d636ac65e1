import { createStore } from './store.ts'

/** Whether the server answers. While it does not, `/health` is asked with growing pauses until it does. */
export const connection = createStore<'reachable' | 'unreachable'>('reachable')

const pausesMs = [1_000, 2_000, 3_000, 5_000, 8_000]
let probing = false

export function reportReachable(): void {
  connection.set('reachable')
}

export function reportUnreachable(): void {
  connection.set('unreachable')
  if (!probing) void probe()
}

async function probe(): Promise<void> {
  probing = true
  for (let attempt = 0; connection.get() === 'unreachable'; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, pausesMs[Math.min(attempt, pausesMs.length - 1)]))
    const reached = await fetch('/health', { cache: 'no-store' }).then(
      (response) => response.status < 502,
      () => false,
    )
    if (reached) reportReachable()
  }
  probing = false
}
