import { Agent } from 'node:http'
import type { Upstream } from './front-api.ts'

/** Connections to each slot. */
export type UpstreamConnections = {
  /** Uses what is idle. */
  agentOf(upstream: Upstream): Agent
  /**
   * Makes a connection for each request. The upstream is told that it is kept alive all the same: else it would close it with its
   * answer, and a client that still sends would lose the answer to a reset.
   */
  fresh: Agent
  /** Closes the idle ones of slots that are not among these. */
  keepOnly(slots: ReadonlySet<string>): void
}

export function createUpstreamConnections(): UpstreamConnections {
  const agents = new Map<string, Agent>()
  const fresh = new Agent({ keepAlive: true })
  fresh.keepSocketAlive = () => false
  return {
    fresh,
    agentOf: ({ slot, port }) => {
      const key = `${slot} ${port}`
      let agent = agents.get(key)
      if (!agent) {
        agent = new Agent({ keepAlive: true, maxFreeSockets: 256, scheduling: 'lifo' })
        agents.set(key, agent)
      }
      return agent
    },
    keepOnly: (slots) => {
      for (const [key, agent] of agents) {
        if (slots.has(key.slice(0, key.lastIndexOf(' ')))) continue
        for (const idle of Object.values(agent.freeSockets).flat()) idle?.destroy()
        // What is still in use closes as it becomes idle.
        agent.maxFreeSockets = 0
        agents.delete(key)
      }
    },
  }
}
