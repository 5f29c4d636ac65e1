import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const port = 9229

/** Whose debugger listens on that port: its process, nobody's, or null when somebody's else. */
async function targetOf(pid: number): Promise<string | null | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`, { signal: AbortSignal.timeout(2_000) })
    const [target] = (await answer.json()) as { webSocketDebuggerUrl?: string }[]
    return listensHere(pid) ? target?.webSocketDebuggerUrl : null
  } catch {
    return undefined
  }
}

/** True when one of the sockets of the process listens on the port of the debugger. */
function listensHere(pid: number): boolean {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes = new Set(
    readFileSync('/proc/net/tcp', 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[1]?.endsWith(`:${wanted}`) && columns[3] === '0A')
      .map((columns) => columns[9]),
  )
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1])
    } catch {
      return false
    }
  })
}

/**
 * Evaluates an expression inside a Node.js process through its debugger, which SIGUSR1 opens on the loopback interface. For game days
 * only. Throws when another process has the debugger's port.
 */
export async function evaluateIn(pid: number, expression: string): Promise<unknown> {
  let target = await targetOf(pid)
  if (target === null) throw new Error(`Another process has the debugger's port ${port}; end it first.`)
  if (target === undefined) {
    process.kill(pid, 'SIGUSR1')
    for (let tries = 0; tries < 100 && typeof target !== 'string'; tries++) {
      await sleep(50)
      target = await targetOf(pid)
    }
  }
  if (typeof target !== 'string') throw new Error(`Process ${pid} opens no debugger on port ${port}.`)
  const socket = new WebSocket(target)
  try {
    return await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Process ${pid} does not answer its debugger.`)), 5_000)
      socket.addEventListener('error', () => reject(new Error(`The debugger of process ${pid} cannot be reached.`)))
      socket.addEventListener('open', () =>
        socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression, returnByValue: true } })),
      )
      socket.addEventListener('message', ({ data }) => {
        const answer = JSON.parse(String(data)) as {
          id?: number
          result?: { result?: { value?: unknown }; exceptionDetails?: { text: string } }
        }
        if (answer.id !== 1) return
        clearTimeout(late)
        if (answer.result?.exceptionDetails) reject(new Error(answer.result.exceptionDetails.text))
        else resolve(answer.result?.result?.value)
      })
    })
  } finally {
    socket.close()
  }
}
