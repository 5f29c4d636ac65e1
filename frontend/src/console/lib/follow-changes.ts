import type { QueryClient } from '@tanstack/react-query'
import { createStore } from '../../lib/store.ts'

/** Whether the ops process answers. */
export const live = createStore<'connected' | 'away'>('connected')

/** Reads again what has changed on the server, as it says so. */
export function followChanges(client: QueryClient): () => void {
  const source = new EventSource('/api/ops/v1/changes/')
  let wasAway = false
  source.addEventListener('hello', () => {
    live.set('connected')
    // What changed meanwhile was not told.
    if (wasAway) void client.invalidateQueries()
    wasAway = false
  })
  source.addEventListener('change', (event: MessageEvent<string>) => {
    const { topics } = JSON.parse(event.data) as { topics: string[] }
    for (const topic of [...topics, 'overview']) void client.invalidateQueries({ queryKey: [topic] })
  })
  source.addEventListener('error', () => {
    wasAway = true
    live.set('away')
    void client.invalidateQueries({ queryKey: ['session'] })
  })
  return () => source.close()
}
