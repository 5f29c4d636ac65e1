import { createInterface } from 'node:readline/promises'
import { CommandFailure } from '../failure.ts'
import { freePortAfter, isPortFree } from './port.ts'

/** A port somebody asked for: `variable` and `flag` are how to ask for another one. */
export type WantedPort = {
  host: string
  port: number
  variable: 'PORT' | 'OPS_PORT'
  hostVariable: 'HOST' | 'OPS_HOST'
  flag: '--port' | '--ops-port'
  automatic: boolean
  /** Promised to another part of DAM already. */
  taken?: number
}

/** Where DAM will listen: the port asked for, or another one when it is taken and that is agreed to. */
export async function agreeOnPort(wanted: WantedPort): Promise<number> {
  const { host, port, variable } = wanted
  let free: boolean
  try {
    free = port !== wanted.taken && (await isPortFree(host, port))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EACCES') {
      throw new CommandFailure(
        `This user may not listen on port ${port}. Choose one above 1023, such as ${variable}=${variable === 'PORT' ? 8080 : 8081}.`,
      )
    }
    throw new CommandFailure(
      `${wanted.hostVariable}=${host} is not an address of this machine. Use localhost, or 0.0.0.0 for all addresses.`,
    )
  }
  if (free) return port
  let another = await freePortAfter(host, port)
  if (another === wanted.taken) another = await freePortAfter(host, another)
  if (wanted.automatic) return another
  if (process.stdin.isTTY && process.stdout.isTTY) {
    const dialogue = createInterface({ input: process.stdin, output: process.stdout })
    const answer = await dialogue.question(`Port ${port} is in use by another program. Use ${another} instead? [Y/n] `)
    dialogue.close()
    if (/^(y|yes|)$/i.test(answer.trim())) return another
    throw new CommandFailure(`Choose a port with ${variable}=… or ${wanted.flag}.`)
  }
  throw new CommandFailure(
    `Port ${port} is in use by another program. Port ${another} is free:\n  ${variable}=${another} npm start\nor let DAM choose by itself:\n  ./dam up ${wanted.flag} auto`,
  )
}

/** What people type into the browser. */
export function publicAddress(listening: { publicUrl: string | undefined; host: string }, port: number): string {
  if (listening.publicUrl) return listening.publicUrl
  const isAny = listening.host === '0.0.0.0' || listening.host === '::'
  const host = isAny ? 'localhost' : listening.host.includes(':') ? `[${listening.host}]` : listening.host
  return `http://${host}${port === 80 ? '' : `:${port}`}`
}
